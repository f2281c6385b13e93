using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja;

/// <summary>What a loop's body sees as <c>loop</c>.</summary>
internal static class LoopVariables
{
    /// <summary>Differs from every value: the first <c>loop.changed</c> is true.</summary>
    public static readonly object NothingYet = new();

    public static JinjaMap At(List<object?> items, int at, int depth, Func<object?, bool> changed)
    {
        JinjaMap loop = new() { IsNamespace = true };
        void Set(string name, object? value) => loop.Set(TemplateText.OfTemplate(name), value);
        Set("index", at + 1L);
        Set("index0", (long)at);
        Set("revindex", (long)(items.Count - at));
        Set("revindex0", (long)(items.Count - at - 1));
        Set("first", at == 0);
        Set("last", at == items.Count - 1);
        Set("length", (long)items.Count);
        Set("depth", (long)depth);
        Set("depth0", depth - 1L);
        Set("previtem", at > 0 ? items[at - 1] : new Undefined("loop.previtem"));
        Set("nextitem", at + 1 < items.Count ? items[at + 1] : new Undefined("loop.nextitem"));
        Set("cycle", new JinjaFunction("cycle", (_, arguments) => arguments.Positional.Count > 0
            ? arguments.Positional[at % arguments.Positional.Count]
            : throw new FormatException("'loop.cycle' needs values")));
        Set("changed", new JinjaFunction("changed", (_, arguments) => changed(new JinjaList(arguments.Positional))));
        return loop;
    }
}
