using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>What can follow <c>is</c>.</summary>
internal static class TestCatalog
{
    private static readonly Dictionary<string, Func<Rendering, object?, CallArguments, bool>> Tests = new(StringComparer.Ordinal)
    {
        ["defined"] = (_, value, _) => value is not Undefined,
        ["undefined"] = (_, value, _) => value is Undefined,
        ["none"] = (_, value, _) => value is null,
        ["string"] = (_, value, _) => value is TemplateText,
        ["mapping"] = (_, value, _) => value is JinjaMap { IsNamespace: false },
        ["iterable"] = (_, value, _) => value is TemplateText or JinjaList or JinjaMap { IsNamespace: false } or Undefined,
        ["sequence"] = (_, value, _) => value is TemplateText or JinjaList or JinjaMap { IsNamespace: false } or Undefined,
        ["number"] = (_, value, _) => value is long or double or bool,
        ["integer"] = (_, value, _) => value is long,
        ["float"] = (_, value, _) => value is double,
        ["boolean"] = (_, value, _) => value is bool,
        ["true"] = (_, value, _) => value is true,
        ["false"] = (_, value, _) => value is false,
        ["callable"] = (_, value, _) => value is JinjaFunction or TemplateRefusal,
        ["odd"] = (_, value, _) => Math.Abs(Whole(value) % 2) == 1,
        ["even"] = (_, value, _) => Whole(value) % 2 == 0,
        ["divisibleby"] = (_, value, arguments) => Arithmetic.Remainder(Whole(value), Whole(First(arguments))) == 0,
        ["equalto"] = (rendering, value, arguments) => Operators.Equals(rendering, value, First(arguments)),
        ["eq"] = (rendering, value, arguments) => Operators.Equals(rendering, value, First(arguments)),
        ["ne"] = (rendering, value, arguments) => !Operators.Equals(rendering, value, First(arguments)),
        ["lt"] = (rendering, value, arguments) => Operators.Compare(rendering, value, First(arguments)) < 0,
        ["le"] = (rendering, value, arguments) => Operators.Compare(rendering, value, First(arguments)) <= 0,
        ["gt"] = (rendering, value, arguments) => Operators.Compare(rendering, value, First(arguments)) > 0,
        ["ge"] = (rendering, value, arguments) => Operators.Compare(rendering, value, First(arguments)) >= 0,
        ["greaterthan"] = (rendering, value, arguments) => Operators.Compare(rendering, value, First(arguments)) > 0,
        ["lessthan"] = (rendering, value, arguments) => Operators.Compare(rendering, value, First(arguments)) < 0,
        ["in"] = (rendering, value, arguments) => Operators.Contains(rendering, First(arguments), value),
        ["sameas"] = (_, value, arguments) => value is bool or long or null ? Equals(value, First(arguments)) : ReferenceEquals(value, First(arguments)),
        ["lower"] = (rendering, value, _) => IsCased(rendering, value, char.IsUpper),
        ["upper"] = (rendering, value, _) => IsCased(rendering, value, char.IsLower),
    };

    /// <exception cref="FormatException">There is no such test.</exception>
    public static Func<Rendering, object?, CallArguments, bool> Of(string id) => Tests.TryGetValue(id, out Func<Rendering, object?, CallArguments, bool>? test)
        ? test
        : throw new FormatException($"the test '{id}' is not supported");

    private static bool IsCased(Rendering rendering, object? value, Func<char, bool> other)
    {
        if (value is not TemplateText text)
        {
            return false;
        }

        rendering.Count(text.Length);
        return text.Value.Any(char.IsLetter) && !text.Value.Any(other);
    }

    private static object? First(CallArguments arguments) =>
        arguments.Positional.Count > 0 ? arguments.Positional[0] : throw new FormatException("the test needs an argument");

    private static long Whole(object? value) => Operators.TryWhole(value, out long whole)
        ? whole
        : throw new FormatException($"the test needs an integer, found a {ValueText.KindOf(value)}");
}
