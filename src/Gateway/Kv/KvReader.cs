using System.Globalization;
using System.Text.Json;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Kv;

/// <summary>
/// Reads what a request asks of its KV cache: headers, and the body's <c>kv</c> object of the same meaning. Where both
/// speak they must say the same, so that neither a proxy's header nor a client's body wins in silence.
/// </summary>
internal static class KvReader
{
    public static Outcome<KvWishes> Read(JsonElement kv, IHeaderDictionary headers)
    {
        if (!KvHeaders.Read(headers).Is(out KvGiven? header, out ApiError? error) || !KvBody.Read(kv).Is(out KvGiven? body, out error))
        {
            return error;
        }
        ApiError? conflict = Conflict(KvHeaders.Policy, Name(header.Policy), KvWishes.PolicyMember, Name(body.Policy))
            ?? Conflict(KvHeaders.Floor, header.Floor, KvWishes.FloorMember, body.Floor)
            ?? Conflict(KvHeaders.MaxRatio, header.MaxRatio, KvWishes.MaxRatioMember, body.MaxRatio);
        return conflict is not null
            ? conflict
            : new KvWishes
            {
                Policy = header.Policy ?? body.Policy ?? KvPolicy.Elastic,
                Floor = header.Floor ?? body.Floor,
                MaxRatio = header.MaxRatio ?? body.MaxRatio,
                FloorPlace = header.Floor is null ? KvWishes.FloorMember : KvHeaders.Floor,
                MaxRatioPlace = header.MaxRatio is null ? KvWishes.MaxRatioMember : KvHeaders.MaxRatio,
            };
    }

    private static ApiError? Conflict(string header, object? asked, string member, object? told) =>
        asked is null || told is null || asked.Equals(told)
            ? null
            : ApiErrors.Invalid(member, string.Create(CultureInfo.InvariantCulture,
                $"The header '{header}' says {asked} and '{member}' says {told}; send one of the two, or the same in both."));

    private static string? Name(KvPolicy? policy) => policy?.ToString().ToLowerInvariant();
}
