using Orleans.Runtime;

namespace Orleans.Storage;

/// <summary>The stored value is not the one this activation read: another writer was here. Deactivate and reload.</summary>
public class InconsistentStateException : OrleansException
{
    /// <summary>An error without a message.</summary>
    public InconsistentStateException()
    {
    }

    /// <summary>An error with a message.</summary>
    public InconsistentStateException(string message)
        : base(message)
    {
    }

    /// <summary>An error with a message and a cause.</summary>
    public InconsistentStateException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>An error with the two versions.</summary>
    public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag)
        : base(errorMsg)
    {
        StoredEtag = storedEtag;
        CurrentEtag = currentEtag;
    }

    /// <summary>Version in the store; null when nothing is stored.</summary>
    public string? StoredEtag { get; }

    /// <summary>Version the writer expected.</summary>
    public string? CurrentEtag { get; }
}
