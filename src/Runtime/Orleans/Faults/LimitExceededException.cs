namespace Orleans.Runtime;

/// <summary>A bound of the host was reached, for example the mailbox of a grain is full.</summary>
public sealed class LimitExceededException : OrleansException
{
    /// <summary>An error without a message.</summary>
    public LimitExceededException()
        : base("Limit exceeded.")
    {
    }

    /// <summary>An error with a message.</summary>
    public LimitExceededException(string message)
        : base(message)
    {
    }

    /// <summary>An error with a message and a cause.</summary>
    public LimitExceededException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
