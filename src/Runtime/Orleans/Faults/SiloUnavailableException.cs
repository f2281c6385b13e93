namespace Orleans.Runtime;

/// <summary>The silo of the grain is gone, stopping, or not started.</summary>
public sealed class SiloUnavailableException : OrleansMessageRejectionException
{
    /// <summary>An error without a message.</summary>
    public SiloUnavailableException()
    {
    }

    /// <summary>An error with a message.</summary>
    public SiloUnavailableException(string msg)
        : base(msg)
    {
    }

    /// <summary>An error with a message and a cause.</summary>
    public SiloUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
