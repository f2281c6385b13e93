using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Concertina.Silo.Options;

/// <summary>Sizes as people write them: <c>4GiB</c>, <c>512 MiB</c>, <c>1.5GiB</c>, or bytes.</summary>
public static class ByteSize
{
    private static readonly (string Unit, double Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1),
    ];

    /// <summary>Keys whose values may be written as sizes.</summary>
    private static readonly string[] Keys = ["KvCache:BudgetBytes", "Store:QuotaBytes", "Engine:SpillBufferBytes"];

    /// <summary>Reads a size.</summary>
    /// <returns>False when the text is not a size, is negative or exceeds 64 bits.</returns>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        string number = text.Trim();
        double factor = 1;
        foreach ((string unit, double unitBytes) in Units)
        {
            if (number.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                (number, factor) = (number[..^unit.Length].TrimEnd(), unitBytes);
                break;
            }
        }
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) || value * factor >= long.MaxValue)
        {
            return false;
        }
        bytes = (long)(value * factor);
        return true;
    }

    /// <summary>A size for people, for example <c>1.5 GiB</c>.</summary>
    public static string Format(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.##} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.##} MiB"),
        >= 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 10):0.##} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
    };

    /// <summary>Turns the sizes of a configuration into bytes, so that options can bind to them.</summary>
    /// <exception cref="FormatException">A value is not a size; the message names the key.</exception>
    public static void Normalize(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        foreach (string key in Keys)
        {
            if (configuration[key] is { Length: > 0 } text)
            {
                configuration[key] = TryParse(text, out long bytes)
                    ? bytes.ToString(CultureInfo.InvariantCulture)
                    : throw new FormatException($"{key} is '{text}'; write bytes or a size such as 512MiB or 4GiB.");
            }
        }
    }
}
