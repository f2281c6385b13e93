namespace Orleans.Runtime;

/// <summary>The activation behind an enumeration is gone, or the consumer paused too long. There is no resume.</summary>
public sealed class EnumerationAbortedException : Exception
{
    /// <summary>An error without a message.</summary>
    public EnumerationAbortedException()
    {
    }

    /// <summary>An error with a message.</summary>
    public EnumerationAbortedException(string message)
        : base(message)
    {
    }

    /// <summary>An error with a message and a cause.</summary>
    public EnumerationAbortedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
