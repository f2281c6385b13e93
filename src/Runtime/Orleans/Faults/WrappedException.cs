namespace Orleans.Runtime;

/// <summary>Stands for an exception whose type is not known on this side; keeps its type name and message.</summary>
public class WrappedException : OrleansException
{
    /// <summary>An error with the original message.</summary>
    public WrappedException(string message)
        : base(message)
    {
    }

    internal WrappedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Full name of the original type.</summary>
    public string? OriginalExceptionType { get; set; }

    /// <inheritdoc/>
    public override string ToString() => $"{nameof(WrappedException)} of {OriginalExceptionType}: {base.ToString()}";
}
