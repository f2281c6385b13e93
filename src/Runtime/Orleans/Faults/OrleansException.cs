namespace Orleans.Runtime;

/// <summary>Base of the host's errors.</summary>
public class OrleansException : Exception
{
    /// <summary>An error without a message.</summary>
    public OrleansException()
    {
    }

    /// <summary>An error with a message.</summary>
    public OrleansException(string message)
        : base(message)
    {
    }

    /// <summary>An error with a message and a cause.</summary>
    public OrleansException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
