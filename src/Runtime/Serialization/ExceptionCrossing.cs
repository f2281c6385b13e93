using Concertina.Runtime.Waiting;
using Orleans.Runtime;
using Orleans.Storage;

namespace Concertina.Runtime.Serialization;

/// <summary>
/// Exceptions cross as type and message when the other side knows the type, else as <see cref="WrappedException"/>.
/// The message is never lost; the object of the callee never reaches the caller.
/// </summary>
internal sealed class ExceptionCrossing
{
    private const int DepthLimit = 8;

    private static readonly Type[] Known =
    [
        typeof(Exception), typeof(ArgumentException), typeof(ArgumentNullException), typeof(ArgumentOutOfRangeException),
        typeof(InvalidOperationException), typeof(NotSupportedException), typeof(NotImplementedException),
        typeof(ObjectDisposedException), typeof(KeyNotFoundException), typeof(TimeoutException), typeof(FormatException),
        typeof(OverflowException), typeof(IOException), typeof(FileNotFoundException), typeof(UnauthorizedAccessException),
        typeof(InvalidDataException), typeof(OperationCanceledException), typeof(TaskCanceledException),
        typeof(OutOfMemoryException), typeof(OrleansException), typeof(SiloUnavailableException), typeof(LimitExceededException),
        typeof(InconsistentStateException), typeof(EnumerationAbortedException), typeof(OrleansConfigurationException),
        typeof(DeadlockException),
    ];

    private readonly Dictionary<string, Func<string, Exception?, Exception>> _makers = [];

    internal ExceptionCrossing(IEnumerable<Type> more)
    {
        foreach (Type type in Known.Concat(more))
        {
            if (MakerOf(type) is { } maker)
            {
                _makers[type.FullName!] = maker;
            }
        }
    }

    /// <summary>What the caller gets for an exception of the callee.</summary>
    internal Exception Cross(Exception exception) => Cross(exception, depth: 0);

    private Exception Cross(Exception exception, int depth)
    {
        Exception? inner = exception.InnerException is { } cause && depth < DepthLimit ? Cross(cause, depth + 1) : null;
        if (exception is WrappedException wrapped)
        {
            return new WrappedException(wrapped.Message, inner) { OriginalExceptionType = wrapped.OriginalExceptionType };
        }

        string name = exception.GetType().FullName!;
        if (_makers.TryGetValue(name, out Func<string, Exception?, Exception>? make)
            && make(exception.Message, inner) is { } made
            && made.Message == exception.Message)
        {
            return made;
        }

        return new WrappedException($"{name}: {exception.Message}", inner) { OriginalExceptionType = name };
    }

    private static Func<string, Exception?, Exception>? MakerOf(Type type)
    {
        // These put the name of a parameter or object into their message, so their constructors with one string differ.
        if (type == typeof(ArgumentNullException) || type == typeof(ArgumentOutOfRangeException))
        {
            return (message, inner) => (Exception)Activator.CreateInstance(type, message, inner)!;
        }

        if (type.GetConstructor([typeof(string), typeof(Exception)]) is { } full)
        {
            return (message, inner) => (Exception)full.Invoke([message, inner]);
        }

        return type.GetConstructor([typeof(string)]) is { } plain
            ? (message, _) => (Exception)plain.Invoke([message])
            : null;
    }
}
