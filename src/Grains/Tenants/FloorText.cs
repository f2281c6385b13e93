using System.Globalization;

namespace Concertina.Grains.Tenants;

/// <summary>A default floor as configuration and the API write it: a rung's name, or nats per token as a number.</summary>
internal static class FloorText
{
    /// <summary>Both forms. Whether a model has the rung, its worker knows.</summary>
    public const string Pattern = @"^([a-z][a-z0-9+._-]{0,31}|[0-9]{1,6}(\.[0-9]{1,17})?([eE]-?[0-9]{1,3})?)\z";

    /// <summary>The rung's name; null: it is a number, or none is set.</summary>
    public static string? Rung(string? floor) => !string.IsNullOrEmpty(floor) && char.IsAsciiLetter(floor[0]) ? floor : null;

    /// <summary>Nats per token; null: it is a name, or none is set.</summary>
    public static double? Nats(string? floor) => string.IsNullOrEmpty(floor) || char.IsAsciiLetter(floor[0])
        ? null
        : double.Parse(floor, NumberStyles.Float, CultureInfo.InvariantCulture);
}
