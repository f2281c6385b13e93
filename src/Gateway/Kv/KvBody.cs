using System.Text.Json;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Chat;
using Concertina.Gateway.Http;

namespace Concertina.Gateway.Kv;

/// <summary>
/// Reads the body's <c>kv</c> object. Unlike the rest of the body it takes no unknown member: a misspelt bound must not
/// let a cache be squeezed.
/// </summary>
internal static class KvBody
{
    private const string Members = "'policy', 'floor' and 'max_ratio'";
    private const int LongestNamedChars = 64;

    public static Outcome<KvGiven> Read(JsonElement kv)
    {
        KvGiven given = new(null, null, null);
        if (IsNothing(kv))
        {
            return given;
        }
        if (kv.ValueKind != JsonValueKind.Object)
        {
            return ApiErrors.Invalid("kv", $"'kv' must be an object; it takes {Members}, each of them optional.");
        }
        foreach (JsonProperty member in kv.EnumerateObject())
        {
            if (!Add(given, member).Is(out KvGiven? more, out ApiError? error))
            {
                return error;
            }
            given = more;
        }
        return given;
    }

    private static Outcome<KvGiven> Add(KvGiven given, JsonProperty member)
    {
        JsonElement value = member.Value;
        if (member.NameEquals("policy"))
        {
            KvPolicy? policy = JsonTexts.Whole(value) is { } name ? KvGiven.PolicyOf(name) : null;
            return policy is null && !IsNothing(value) ? Refused(KvWishes.PolicyMember, KvGiven.PolicyAllowed) : given with { Policy = policy };
        }
        if (member.NameEquals("floor"))
        {
            KvFloor? floor = JsonTexts.Whole(value) is { } rung ? KvFloor.OfRung(rung) : Number(value) is { } nats ? KvFloor.OfNats(nats) : null;
            return floor is null && !IsNothing(value) ? Refused(KvWishes.FloorMember, KvFloor.Allowed) : given with { Floor = floor };
        }
        if (member.NameEquals("max_ratio"))
        {
            double? ratio = Number(value) is { } number ? KvGiven.RatioOf(number) : null;
            return ratio is null && !IsNothing(value) ? Refused(KvWishes.MaxRatioMember, KvGiven.RatioAllowed) : given with { MaxRatio = ratio };
        }
        return Unknown(member.Name);
    }

    private static bool IsNothing(JsonElement value) => value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    private static double? Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? number : null;

    private static ApiError Unknown(string name) => ApiErrors.Invalid(
        name.Length <= LongestNamedChars ? $"kv.{name}" : "kv", $"'kv' takes {Members}, and no other member.");

    private static ApiError Refused(string member, string allowed) => ApiErrors.Invalid(member, $"'{member}' must be {allowed}.");
}
