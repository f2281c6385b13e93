using Concertina.Tokenization.Jinja.Library;
using Concertina.Tokenization.Jinja.Syntax;
using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja;

/// <summary>Computes expressions.</summary>
internal sealed class Evaluator(Rendering rendering)
{
    public object? Evaluate(Expression expression, Scope scope)
    {
        rendering.Step(expression.Place);
        rendering.Enter(expression.Place);
        try
        {
            return Dispatch(expression, scope);
        }
        catch (FormatException e)
        {
            throw expression.Place.Error(e.Message + ".");
        }
        catch (InvalidOperationException e) when (e.InnerException is FormatException reason)
        {
            // A comparison failed inside a sort.
            throw expression.Place.Error(reason.Message + ".");
        }
        finally
        {
            rendering.Leave();
        }
    }

    public bool IsTrue(Expression expression, Scope scope) => Operators.IsTrue(Evaluate(expression, scope));

    public CallArguments Evaluate(Arguments arguments, Scope scope)
    {
        List<object?> positional = new(arguments.Positional.Count);
        foreach (Expression argument in arguments.Positional)
        {
            positional.Add(Evaluate(argument, scope));
        }

        Dictionary<string, object?> named = new(StringComparer.Ordinal);
        foreach ((string name, Expression value) in arguments.Named)
        {
            named[name] = Evaluate(value, scope);
        }

        return new CallArguments(positional, named);
    }

    public object? ApplyFilter(string id, object? subject, CallArguments arguments) =>
        FilterCatalog.Apply(rendering, id, subject, arguments);

    private object? Dispatch(Expression expression, Scope scope) => expression switch
    {
        Literal literal => literal.Value,
        Name name => scope.TryGet(name.Id, out object? value) ? value : new Undefined(name.Id),
        ListLiteral list => new JinjaList([.. list.Items.Select(item => Evaluate(item, scope))]),
        MapLiteral map => EvaluateMap(map, scope),
        Syntax.Attribute attribute => Members.Attribute(Evaluate(attribute.Subject, scope), attribute.Id),
        Item item => Members.Item(rendering, Evaluate(item.Subject, scope), Evaluate(item.Key, scope)),
        Slice slice => EvaluateSlice(slice, scope),
        Call call => EvaluateCall(call, scope),
        Filter filter => ApplyFilter(filter.Id, Evaluate(filter.Subject, scope), Evaluate(filter.Arguments, scope)),
        Test test => TestCatalog.Of(test.Id)(rendering, Evaluate(test.Subject, scope), Evaluate(test.Arguments, scope)),
        Unary unary => EvaluateUnary(unary, scope),
        Binary binary => EvaluateBinary(binary, scope),
        Comparison comparison => EvaluateComparison(comparison, scope),
        Conditional conditional => EvaluateConditional(conditional, scope),
        _ => throw expression.Place.Error($"an expression of kind {expression.GetType().Name} is not supported."),
    };

    private JinjaMap EvaluateMap(MapLiteral literal, Scope scope)
    {
        JinjaMap map = new();
        foreach ((Expression key, Expression value) in literal.Entries)
        {
            map.Set(ValueText.Print(rendering, Evaluate(key, scope)), Evaluate(value, scope));
        }

        return map;
    }

    private object? EvaluateSlice(Slice slice, Scope scope)
    {
        long? Bound(Expression? bound) => bound is null ? null : Evaluate(bound, scope) switch
        {
            null => null,
            object value when Operators.TryWhole(value, out long whole) => whole,
            object value => throw new FormatException($"a slice's bound is a {ValueText.KindOf(value)}, expected an integer"),
        };

        object? subject = Evaluate(slice.Subject, scope);
        return Slicing.Take(rendering, subject, new Slicing.Bounds(Bound(slice.Bounds.From), Bound(slice.Bounds.To), Bound(slice.Bounds.Step)));
    }

    private object? EvaluateCall(Call call, Scope scope)
    {
        object? callee = Evaluate(call.Callee, scope);
        return callee switch
        {
            JinjaFunction function => function.Call(rendering, Evaluate(call.Arguments, scope)),
            TemplateRefusal => throw Refused(call, scope),
            Undefined undefined => throw call.Place.Error($"'{undefined.Name}' is undefined and cannot be called."),
            _ => throw call.Place.Error($"a {ValueText.KindOf(callee)} cannot be called."),
        };
    }

    private ChatTemplateException Refused(Call call, Scope scope)
    {
        string reason = ValueText.Print(rendering, Evaluate(call.Arguments, scope).Get(0, "message", null)).Value;
        return new ChatTemplateException(reason, call.Place.Line, call.Place.Column, raisedByTemplate: true);
    }

    private object? EvaluateUnary(Unary unary, Scope scope)
    {
        object? value = Evaluate(unary.Operand, scope);
        return unary.Symbol == "not" ? !Operators.IsTrue(value) : Arithmetic.Sign(unary.Symbol, value);
    }

    private object? EvaluateBinary(Binary binary, Scope scope)
    {
        object? left = Evaluate(binary.Left, scope);
        return binary.Symbol switch
        {
            "and" => Operators.IsTrue(left) ? Evaluate(binary.Right, scope) : left,
            "or" => Operators.IsTrue(left) ? left : Evaluate(binary.Right, scope),
            _ => Arithmetic.Compute(rendering, binary.Symbol, left, Evaluate(binary.Right, scope)),
        };
    }

    private bool EvaluateComparison(Comparison comparison, Scope scope)
    {
        object? left = Evaluate(comparison.First, scope);
        foreach ((string symbol, Expression operand) in comparison.Rest)
        {
            object? right = Evaluate(operand, scope);
            if (!Arithmetic.Holds(rendering, symbol, left, right))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private object? EvaluateConditional(Conditional conditional, Scope scope) =>
        IsTrue(conditional.Condition, scope) ? Evaluate(conditional.Then, scope)
        : conditional.Otherwise is { } otherwise ? Evaluate(otherwise, scope)
        : new Undefined("the value of an 'if' without 'else'");
}
