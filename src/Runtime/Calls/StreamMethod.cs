using System.Reflection;
using Concertina.Runtime.Enumerations;
using Concertina.Runtime.Serialization;

namespace Concertina.Runtime.Calls;

/// <summary>A grain method with a stream of answers.</summary>
internal sealed class StreamMethod<T> : GrainMethod
{
    private readonly ValueCopier? _element;

    internal StreamMethod(GrainInterface owner, MethodInfo method, GrainSerializer serializer)
        : base(owner, method, serializer)
    {
        _element = ReturnIsShared ? null : serializer.CopierOf(typeof(T));
    }

    internal override object Call(GrainProxy proxy, object?[] arguments)
    {
        CancellationToken token = TokenOf(arguments);
        CopyArguments(arguments);
        return new GrainStream<T>(proxy, this, arguments, token);
    }

    /// <summary>Runs the method on a grain object. Every enumeration gets arguments of its own.</summary>
    internal IAsyncEnumerable<T> Run(object grain, object?[] arguments, CancellationToken token)
    {
        object?[] own = [.. arguments];
        if (TokenIndex >= 0)
        {
            own[TokenIndex] = token;
        }

        return (IAsyncEnumerable<T>)Invoker.Invoke(grain, own.AsSpan())!;
    }

    internal T CopyElement(T element) => _element is null ? element : ((ValueCopier<T>)_element).Copy(element);
}
