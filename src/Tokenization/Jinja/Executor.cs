using Concertina.Tokenization.Jinja.Syntax;
using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja;

/// <summary>Runs statements.</summary>
internal sealed class Executor(Rendering rendering)
{
    private readonly Evaluator _evaluator = new(rendering);

    /// <summary>How a body ended.</summary>
    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    public void Run(IReadOnlyList<Statement> statements, Scope scope, TemplateTextBuilder output) => RunBody(statements, scope, output);

    private Flow RunBody(IReadOnlyList<Statement> statements, Scope scope, TemplateTextBuilder output)
    {
        foreach (Statement statement in statements)
        {
            Flow flow = Dispatch(statement, scope, output);
            if (flow != Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    private Flow Dispatch(Statement statement, Scope scope, TemplateTextBuilder output)
    {
        rendering.Step(statement.Place);
        switch (statement)
        {
            case Data data:
                Write(TemplateText.OfTemplate(data.Text), data.Place, output);
                return Flow.Next;
            case Print print:
                Write(ValueText.Print(rendering, _evaluator.Evaluate(print.Value, scope)), print.Place, output);
                return Flow.Next;
            case If branch:
                return RunIf(branch, scope, output);
            case For loop:
                return RunFor(loop, scope, output);
            case Block block:
                return RunBody(block.Body, scope, output);
            case Jump jump:
                return jump.IsBreak ? Flow.Break : Flow.Continue;
            case FilterBlock filter:
                Write(Filtered(filter.Place, filter.Filters, filter.Body, scope), filter.Place, output);
                return Flow.Next;
            default:
                RunDefinition(statement, scope);
                return Flow.Next;
        }
    }

    private void RunDefinition(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case Set set:
                RunSet(set, scope);
                break;
            case SetBlock block:
                scope.Set(block.Target, Filtered(block.Place, block.Filters, block.Body, scope));
                break;
            case Macro macro:
                scope.Set(macro.Id, new JinjaFunction(macro.Id, (_, arguments) => RunMacro(macro, arguments, scope)));
                break;
            default:
                throw statement.Place.Error($"a statement of kind {statement.GetType().Name} is not supported.");
        }
    }

    private Flow RunIf(If branch, Scope scope, TemplateTextBuilder output)
    {
        foreach ((Expression condition, IReadOnlyList<Statement> body) in branch.Branches)
        {
            if (_evaluator.IsTrue(condition, scope))
            {
                return RunBody(body, scope, output);
            }
        }

        return RunBody(branch.Otherwise, scope, output);
    }

    private Flow RunFor(For loop, Scope scope, TemplateTextBuilder output)
    {
        List<object?> items = ItemsOf(loop, scope);
        if (items.Count == 0)
        {
            return RunBody(loop.Bodies.Otherwise, scope, output);
        }

        int depth = scope.TryGet("loop", out object? outer) && outer is JinjaMap map && map.TryGet("depth", out object? level)
            && level is long and > 0 and < int.MaxValue ? (int)(long)level + 1 : 1;
        object? last = LoopVariables.NothingYet;
        for (int at = 0; at < items.Count; at++)
        {
            rendering.Step(loop.Place);
            Scope inner = new(scope);
            Bind(loop.Targets, items[at], inner, loop.Place);
            inner.Set("loop", LoopVariables.At(items, at, depth, value =>
            {
                bool changed = !Operators.Equals(rendering, last, value);
                last = value;
                return changed;
            }));
            if (RunBody(loop.Bodies.Body, inner, output) == Flow.Break)
            {
                break;
            }
        }

        return Flow.Next;
    }

    private List<object?> ItemsOf(For loop, Scope scope)
    {
        object? source = _evaluator.Evaluate(loop.Source, scope);
        List<object?> items;
        try
        {
            items = Operators.Iterate(rendering, source);
        }
        catch (FormatException e)
        {
            throw loop.Place.Error(e.Message + ".");
        }

        return loop.Bodies.Condition is { } condition
            ? items.FindAll(item =>
            {
                Scope inner = new(scope);
                Bind(loop.Targets, item, inner, loop.Place);
                return _evaluator.IsTrue(condition, inner);
            })
            : items;
    }

    private static void Bind(IReadOnlyList<string> targets, object? value, Scope scope, Place place)
    {
        if (targets.Count == 1)
        {
            scope.Set(targets[0], value);
            return;
        }

        if (value is not JinjaList list || list.Items.Count != targets.Count)
        {
            throw place.Error($"{targets.Count} names need a list of as many values, found a {ValueText.KindOf(value)}.");
        }

        for (int i = 0; i < targets.Count; i++)
        {
            scope.Set(targets[i], list.Items[i]);
        }
    }

    private void RunSet(Set set, Scope scope)
    {
        object? value = _evaluator.Evaluate(set.Value, scope);
        if (set.Entry is null)
        {
            Bind(set.Targets, value, scope, set.Place);
            return;
        }

        if (!scope.TryGet(set.Targets[0], out object? target) || target is not JinjaMap { IsNamespace: true } map)
        {
            throw set.Place.Error($"'{set.Targets[0]}' is not a namespace; only namespaces can be changed.");
        }

        map.Set(TemplateText.OfTemplate(set.Entry), value);
    }

    private TemplateText RunMacro(Macro macro, CallArguments arguments, Scope definedIn)
    {
        if (arguments.Positional.Count > macro.Parameters.Count)
        {
            throw macro.Place.Error($"macro '{macro.Id}' takes {macro.Parameters.Count} arguments, got {arguments.Positional.Count}.");
        }

        rendering.Enter(macro.Place);
        Scope scope = new(definedIn);
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            (string name, Expression? fallback) = macro.Parameters[i];
            bool given = i < arguments.Positional.Count || arguments.Named.ContainsKey(name);
            scope.Set(name, given ? arguments.Get(i, name, null)
                : fallback is null ? new Undefined(name) : _evaluator.Evaluate(fallback, scope));
        }

        TemplateTextBuilder text = new();
        RunBody(macro.Body, scope, text);
        rendering.Leave();
        return text.ToText();
    }

    private TemplateText Filtered(
        Place place, IReadOnlyList<(string Id, Arguments Arguments)> filters, IReadOnlyList<Statement> body, Scope scope)
    {
        TemplateTextBuilder text = new();
        RunBody(body, new Scope(scope), text);
        object? value = text.ToText();
        try
        {
            foreach ((string id, Arguments arguments) in filters)
            {
                value = _evaluator.ApplyFilter(id, value, _evaluator.Evaluate(arguments, scope));
            }
        }
        catch (FormatException e)
        {
            throw place.Error(e.Message + ".");
        }

        return ValueText.Print(rendering, value);
    }

    private void Write(TemplateText text, Place place, TemplateTextBuilder output)
    {
        try
        {
            rendering.Count(text.Length);
        }
        catch (FormatException e)
        {
            throw place.Error(e.Message + ".");
        }

        output.Append(text);
    }
}
