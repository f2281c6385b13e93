using System.Globalization;
using System.Text.Json;

namespace Concertina.Gateway.Admin;

/// <summary>A size in a body: a whole number of bytes, or text such as <c>512MiB</c>.</summary>
internal static class SizeText
{
    /// <summary>What is taken, for messages.</summary>
    public const string Allowed = "a whole number of bytes above 0, or a text such as \"512MiB\" or \"4GiB\"";

    private static readonly (string Unit, long Bytes)[] Units = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40)];

    /// <summary>The bytes, or null when it is no size.</summary>
    public static long? Read(JsonElement size) => size.ValueKind switch
    {
        JsonValueKind.Number => size.TryGetInt64(out long bytes) && bytes > 0 ? bytes : null,
        JsonValueKind.String => Parse(size.GetString()!.Trim()),
        _ => null,
    };

    private static long? Parse(string text)
    {
        (string unit, long factor) = Units.FirstOrDefault(unit => text.EndsWith(unit.Unit, StringComparison.OrdinalIgnoreCase), ("", 1));
        return decimal.TryParse(text[..^unit.Length].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            && number > 0 && number <= (decimal)long.MaxValue / factor
            && decimal.Floor(number * factor) is var bytes and >= 1
                ? (long)bytes
                : null;
    }
}
