namespace Orleans.Runtime;

/// <summary>The host or a grain is set up wrongly; the message says what to change.</summary>
public sealed class OrleansConfigurationException : Exception
{
    /// <summary>An error with a message.</summary>
    public OrleansConfigurationException(string message)
        : base(message)
    {
    }

    /// <summary>An error with a message and a cause.</summary>
    public OrleansConfigurationException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
