namespace Concertina.Compute.Store;

/// <summary>What of one session is on disk.</summary>
/// <param name="Key">Session key, <c>tenant/session</c>.</param>
/// <param name="Bytes">Bytes of its files, of tokens and of units.</param>
/// <param name="PageBytes">Of those, bytes of units.</param>
public readonly record struct RestingSession(string Key, long Bytes, long PageBytes);
