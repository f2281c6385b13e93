using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>What can follow <c>is</c>.</summary>
internal static class TestCatalog
{
    private static readonly Dictionary<string, Func<object?, CallArguments, bool>> Tests = new(StringComparer.Ordinal)
    {
        ["defined"] = (value, _) => value is not Undefined,
        ["undefined"] = (value, _) => value is Undefined,
        ["none"] = (value, _) => value is null,
        ["string"] = (value, _) => value is TemplateText,
        ["mapping"] = (value, _) => value is JinjaMap { IsNamespace: false },
        ["iterable"] = (value, _) => value is TemplateText or JinjaList or JinjaMap { IsNamespace: false } or Undefined,
        ["sequence"] = (value, _) => value is TemplateText or JinjaList or JinjaMap { IsNamespace: false } or Undefined,
        ["number"] = (value, _) => value is long or double or bool,
        ["integer"] = (value, _) => value is long,
        ["float"] = (value, _) => value is double,
        ["boolean"] = (value, _) => value is bool,
        ["true"] = (value, _) => value is true,
        ["false"] = (value, _) => value is false,
        ["callable"] = (value, _) => value is JinjaFunction or TemplateRefusal,
        ["odd"] = (value, _) => Math.Abs(Whole(value) % 2) == 1,
        ["even"] = (value, _) => Whole(value) % 2 == 0,
        ["divisibleby"] = (value, arguments) => Whole(value) % Nonzero(Whole(First(arguments))) == 0,
        ["equalto"] = (value, arguments) => Operators.Equals(value, First(arguments)),
        ["eq"] = (value, arguments) => Operators.Equals(value, First(arguments)),
        ["ne"] = (value, arguments) => !Operators.Equals(value, First(arguments)),
        ["lt"] = (value, arguments) => Operators.Compare(value, First(arguments)) < 0,
        ["le"] = (value, arguments) => Operators.Compare(value, First(arguments)) <= 0,
        ["gt"] = (value, arguments) => Operators.Compare(value, First(arguments)) > 0,
        ["ge"] = (value, arguments) => Operators.Compare(value, First(arguments)) >= 0,
        ["greaterthan"] = (value, arguments) => Operators.Compare(value, First(arguments)) > 0,
        ["lessthan"] = (value, arguments) => Operators.Compare(value, First(arguments)) < 0,
        ["in"] = (value, arguments) => Operators.Contains(First(arguments), value),
        ["sameas"] = (value, arguments) => value is bool or long or null ? Equals(value, First(arguments)) : ReferenceEquals(value, First(arguments)),
        ["lower"] = (value, _) => IsCased(value, char.IsUpper),
        ["upper"] = (value, _) => IsCased(value, char.IsLower),
    };

    /// <exception cref="FormatException">There is no such test.</exception>
    public static Func<object?, CallArguments, bool> Of(string id) => Tests.TryGetValue(id, out Func<object?, CallArguments, bool>? test)
        ? test
        : throw new FormatException($"the test '{id}' is not supported");

    private static bool IsCased(object? value, Func<char, bool> other) =>
        value is TemplateText text && text.Value.Any(char.IsLetter) && !text.Value.Any(other);

    private static object? First(CallArguments arguments) =>
        arguments.Positional.Count > 0 ? arguments.Positional[0] : throw new FormatException("the test needs an argument");

    private static long Whole(object? value) => Operators.TryWhole(value, out long whole)
        ? whole
        : throw new FormatException($"the test needs an integer, found a {ValueText.KindOf(value)}");

    private static long Nonzero(long value) => value != 0 ? value : throw new FormatException("division by zero");
}
