namespace Concertina.Runtime.Tests.Conformance;

/// <summary>What a test needs of its cluster beyond the defaults.</summary>
public sealed record ClusterSettings
{
    public int MailboxLimit { get; init; } = 10_000;

    public bool CancelRequestOnTimeout { get; init; }
}
