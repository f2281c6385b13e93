namespace Concertina.Compute.Profile;

/// <summary>A KV profile cannot be used: damaged, of another model, or of another version. The message says what failed, the values, what to do.</summary>
public sealed class KvProfileException : Exception
{
    /// <summary>Makes one.</summary>
    public KvProfileException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with the fault below.</summary>
    public KvProfileException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
