using System.Reflection;
using Concertina.Runtime.Serialization;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Concertina.Runtime.Calls;

/// <summary>One method of a grain interface: how to send it, how to run it.</summary>
internal abstract class GrainMethod
{
    private readonly ValueCopier?[] _arguments;

    protected GrainMethod(GrainInterface owner, MethodInfo method, GrainSerializer serializer)
    {
        ParameterInfo[] parameters = method.GetParameters();
        Owner = owner;
        Name = method.Name;
        Alias = method.GetCustomAttribute<AliasAttribute>()?.Alias
            ?? $"{method.Name}({string.Join(',', parameters.Select(parameter => parameter.ParameterType.Name))})";
        Interleaves = method.GetCustomAttribute<AlwaysInterleaveAttribute>() is not null;
        Timeout = method.GetCustomAttribute<ResponseTimeoutAttribute>()?.Timeout;
        TokenIndex = Array.FindIndex(parameters, parameter => parameter.ParameterType == typeof(CancellationToken));
        Invoker = MethodInvoker.Create(method);
        ReturnIsShared = method.ReturnParameter.GetCustomAttribute<ImmutableAttribute>() is not null;
        _arguments = [.. parameters.Select(parameter => parameter.GetCustomAttribute<ImmutableAttribute>() is null
            ? serializer.CopierOf(parameter.ParameterType)
            : null)];
    }

    internal GrainInterface Owner { get; }

    internal string Name { get; }

    /// <summary>Name on the wire.</summary>
    internal string Alias { get; }

    internal bool Interleaves { get; }

    /// <summary>How long a caller waits; null: as the host's options say.</summary>
    internal TimeSpan? Timeout { get; }

    /// <summary>Index of the CancellationToken parameter; -1: none.</summary>
    internal int TokenIndex { get; }

    protected MethodInvoker Invoker { get; }

    protected bool ReturnIsShared { get; }

    /// <summary>Sends a call; the result is what the interface method returns.</summary>
    internal abstract object Call(GrainProxy proxy, object?[] arguments);

    internal static GrainMethod Create(GrainInterface owner, MethodInfo method, GrainSerializer serializer)
    {
        Check(owner, method);
        (Type type, ReturnShape shape) = ResultOf(owner, method);
        Type definition = shape == ReturnShape.Stream ? typeof(StreamMethod<>) : typeof(GrainMethod<>);
        object[] arguments = shape == ReturnShape.Stream
            ? [owner, method, serializer]
            : [owner, method, serializer, shape];
        return (GrainMethod)Activator.CreateInstance(
            definition.MakeGenericType(type),
            BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DoNotWrapExceptions,
            null,
            arguments,
            null)!;
    }

    /// <summary>Copies in place what the callee may not share with the caller. The array belongs to this call.</summary>
    protected void CopyArguments(object?[] arguments)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            if (_arguments[i] is { } copier && arguments[i] is { } argument)
            {
                arguments[i] = copier.Copy(argument);
            }
        }
    }

    /// <summary>The caller's token, taken out of the arguments: the callee gets one of its own.</summary>
    protected CancellationToken TokenOf(object?[] arguments) =>
        TokenIndex < 0 ? CancellationToken.None : (CancellationToken)arguments[TokenIndex]!;

    private static void Check(GrainInterface owner, MethodInfo method)
    {
        ParameterInfo[] parameters = method.GetParameters();
        int token = Array.FindIndex(parameters, parameter => parameter.ParameterType == typeof(CancellationToken));
        if (token >= 0 && token != parameters.Length - 1)
        {
            throw new OrleansConfigurationException(
                $"{owner.Type}.{method.Name}: the CancellationToken must be the last parameter, and the only one.");
        }

        if (method.IsGenericMethod || Array.Exists(parameters, parameter => parameter.ParameterType.IsByRef))
        {
            throw new OrleansConfigurationException(
                $"{owner.Type}.{method.Name}: generic methods and ref or out parameters cannot be called remotely.");
        }
    }

    private static (Type Type, ReturnShape Shape) ResultOf(GrainInterface owner, MethodInfo method)
    {
        Type type = method.ReturnType;
        if (type == typeof(Task))
        {
            return (typeof(Nothing), ReturnShape.Task);
        }

        if (type == typeof(ValueTask))
        {
            return (typeof(Nothing), ReturnShape.ValueTask);
        }

        Type? definition = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        ReturnShape? shape = definition == typeof(Task<>) ? ReturnShape.TaskOfResult
            : definition == typeof(ValueTask<>) ? ReturnShape.ValueTaskOfResult
            : definition == typeof(IAsyncEnumerable<>) ? ReturnShape.Stream
            : null;
        return shape is { } known
            ? (type.GetGenericArguments()[0], known)
            : throw new OrleansConfigurationException(
                $"{owner.Type}.{method.Name} returns {type}; grain methods return Task, ValueTask, their generic forms, or IAsyncEnumerable.");
    }
}
