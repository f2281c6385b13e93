using System.Reflection;
using Concertina.Runtime.Serialization;

namespace Concertina.Runtime.Calls;

/// <summary>A grain method with one answer.</summary>
internal sealed class GrainMethod<T> : GrainMethod
{
    private readonly ReturnShape _shape;
    private readonly ValueCopier? _result;

    internal GrainMethod(GrainInterface owner, MethodInfo method, GrainSerializer serializer, ReturnShape shape)
        : base(owner, method, serializer)
    {
        _shape = shape;
        _result = typeof(T) == typeof(Nothing) || ReturnIsShared ? null : serializer.CopierOf(typeof(T));
    }

    internal override object Call(GrainProxy proxy, object?[] arguments)
    {
        CancellationToken token = TokenOf(arguments);
        CopyArguments(arguments);
        MethodCall<T> call = new(proxy, this, arguments);
        proxy.Silo.Send(call, token);
        return _shape switch
        {
            ReturnShape.ValueTask => new ValueTask(call.Answer),
            ReturnShape.ValueTaskOfResult => new ValueTask<T>(call.Answer),
            _ => call.Answer,
        };
    }

    /// <summary>Runs the method on a grain object.</summary>
    internal ValueTask<T> Run(object grain, object?[] arguments)
    {
        object? result = Invoker.Invoke(grain, arguments.AsSpan());
        return _shape switch
        {
            ReturnShape.TaskOfResult => new ValueTask<T>((Task<T>)result!),
            ReturnShape.ValueTaskOfResult => (ValueTask<T>)result!,
            ReturnShape.Task => WithoutResult((Task)result!),
            _ => WithoutResult(((ValueTask)result!).AsTask()),
        };
    }

    internal T CopyResult(T result) => _result is null ? result : ((ValueCopier<T>)_result).Copy(result);

    private static ValueTask<T> WithoutResult(Task task) =>
        task.IsCompletedSuccessfully ? default : AwaitAsync(task);

    private static async ValueTask<T> AwaitAsync(Task task)
    {
        await task;
        return default!;
    }
}
