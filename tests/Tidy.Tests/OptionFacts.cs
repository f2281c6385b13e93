using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Concertina.Tidy.Tests;

/// <summary>One configuration option, as its record declares it.</summary>
/// <param name="Key">Full configuration key, such as <c>Engine:MaxRunning</c>.</param>
/// <param name="Default">Its default, as documentation writes it.</param>
/// <param name="Range">Its allowed range; null if the record declares none.</param>
internal sealed record OptionFacts(string Key, string Default, string? Range)
{
    private static readonly string[] Projects = ["Compute", "Tokenization", "Contracts", "Runtime", "Grains", "Silo", "Gateway"];

    /// <summary>How the option's row in the documentation begins.</summary>
    public string RowBeginning => Range is null ? $"| `{Key}` | {Default} |" : $"| `{Key}` | {Default} | {Range} |";

    /// <summary>The options of all public options records that bind to a configuration section.</summary>
    public static IEnumerable<OptionFacts> All() => Types().SelectMany(type => Of(type, SectionOf(type)!));

    /// <summary>Public records with a constant <c>Section</c>; their names end in Options.</summary>
    public static IEnumerable<Type> Types() => Projects
        .Select(AssemblyFacts.PathOf)
        .SelectMany(path => Assembly.LoadFrom(path).GetExportedTypes())
        .Where(type => type.IsClass && type.Name.EndsWith("Options", StringComparison.Ordinal) && SectionOf(type) is not null);

    private static string? SectionOf(Type type) => type.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string;

    private static IEnumerable<OptionFacts> Of(Type type, string section)
    {
        object defaults = Activator.CreateInstance(type)!;
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is { IsPublic: true }))
        {
            if (RecordsByName(property.PropertyType) is { } record)
            {
                // A dictionary called ById is bound to the section itself: Tenants:<id>:Weight.
                string name = property.Name == "ById" ? "" : $":{property.Name}";
                foreach (OptionFacts inner in Of(record, $"{section}{name}:<id>"))
                {
                    yield return inner;
                }
            }
            else
            {
                bool bytes = property.Name.EndsWith("Bytes", StringComparison.Ordinal);
                yield return new OptionFacts($"{section}:{property.Name}", Write(property.GetValue(defaults), bytes), RangeOf(property, bytes));
            }
        }
    }

    /// <summary>The options record that a dictionary holds by name; null for any other type.</summary>
    private static Type? RecordsByName(Type type) =>
        type.IsGenericType && type.GetGenericArguments() is [{ } key, { } value] && key == typeof(string)
        && value.Name.EndsWith("Options", StringComparison.Ordinal) ? value : null;

    private static string? RangeOf(PropertyInfo property, bool bytes)
    {
        if (property.GetCustomAttribute<RangeAttribute>() is not { } range)
        {
            return null;
        }
        if (range.OperandType == typeof(TimeSpan))
        {
            return $"{range.Minimum} to {range.Maximum}";
        }
        bool open = Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture) >= long.MaxValue;
        return open ? $"from {Write(range.Minimum, bytes)}" : $"{Write(range.Minimum, bytes)} to {Write(range.Maximum, bytes)}";
    }

    private static string Write(object? value, bool bytes) => value switch
    {
        null => "none",
        string text => text.Length == 0 ? "empty" : $"`{text}`",
        bool flag => flag ? "true" : "false",
        Enum choice => $"`{choice}`",
        IFormattable number when bytes => Size(Convert.ToInt64(number, CultureInfo.InvariantCulture)),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => items.Cast<object>().Any() ? string.Join(", ", items.Cast<object>().Select(item => Write(item, bytes))) : "empty",
        _ => value.ToString()!,
    };

    /// <summary>Bytes in the largest unit that divides them.</summary>
    private static string Size(long bytes)
    {
        string[] units = ["", " KiB", " MiB", " GiB", " TiB"];
        int unit = 0;
        while (unit + 1 < units.Length && bytes != 0 && bytes % 1024 == 0)
        {
            bytes /= 1024;
            unit++;
        }
        return bytes.ToString(CultureInfo.InvariantCulture) + units[unit];
    }
}
