namespace Concertina.Grains.Sessions;

/// <summary>Grain key of a sequence: <c>tenant/session</c>, or <c>tenant/~random</c> for a request without a session.</summary>
/// <param name="TenantId">Tenant.</param>
/// <param name="Session">The session's name within the tenant.</param>
internal readonly record struct SequenceKey(string TenantId, string Session)
{
    /// <summary>Most characters of a key; a report lists many of them.</summary>
    public const int MaxLength = 512;

    /// <summary>True for a request without a session: nothing of it is durable.</summary>
    public bool IsEphemeral => Session.StartsWith('~');

    public static SequenceKey Parse(string key)
    {
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < key.Length - 1 && key.Length <= MaxLength
            ? new SequenceKey(key[..slash], key[(slash + 1)..])
            : throw new ArgumentException(
                $"A sequence key has the form tenant/session and at most {MaxLength} characters; this one has {key.Length}.", nameof(key));
    }
}
