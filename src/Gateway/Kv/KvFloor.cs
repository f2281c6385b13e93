using System.Globalization;
using System.Text.RegularExpressions;

namespace Concertina.Gateway.Kv;

/// <summary>How far a cache may be squeezed: exactly one of the two is set.</summary>
/// <param name="Rung">A rung's name, which some ladder may have.</param>
/// <param name="Nats">Most predicted distortion in nats per token, finite and at least 0.</param>
internal sealed partial record KvFloor(string? Rung, double? Nats)
{
    /// <summary>What a floor may be, for messages.</summary>
    public const string Allowed = "the name of a rung (GET /v1/kv/ladder lists them) or a finite number of nats per token, at least 0";

    /// <summary>A floor of a header, where a number is text as well; null: it is neither.</summary>
    public static KvFloor? OfText(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double nats) ? OfNats(nats) : OfRung(text);

    /// <summary>A number of nats per token, or null.</summary>
    public static KvFloor? OfNats(double nats) => double.IsFinite(nats) && nats >= 0 ? new KvFloor(null, nats) : null;

    /// <summary>A rung's name by its form, or null; whether the model has it, the worker knows.</summary>
    public static KvFloor? OfRung(string name) => RungName().IsMatch(name) ? new KvFloor(name, null) : null;

    public override string ToString() => Rung ?? Nats!.Value.ToString(CultureInfo.InvariantCulture);

    // At most GenerateRequest.MaxRungChars characters.
    [GeneratedRegex(@"^[a-z][a-z0-9+._-]{0,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex RungName();
}
