using Concertina.Contracts.Budget;

namespace Concertina.Grains.Budget;

/// <summary>One session of a worker as the budget grain knows it.</summary>
internal sealed class KnownSession
{
    /// <summary>What was reported last.</summary>
    public required SessionReport Report { get; set; }

    /// <summary>Timestamp since which it is known not to run; null: it runs.</summary>
    public required long? IdleSince { get; set; }

    /// <summary>Rung it was assigned in this epoch; null: none.</summary>
    public string? Assigned { get; set; }
}
