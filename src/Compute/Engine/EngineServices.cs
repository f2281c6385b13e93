using System.Diagnostics.Metrics;
using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Engine;

/// <summary>What an engine is given beside its model and its memory.</summary>
public sealed record EngineServices
{
    /// <summary>Clock of deadlines, idle times and rates.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where instruments are made; null: nothing is measured.</summary>
    public IMeterFactory? Meters { get; init; }

    /// <summary>The model's KV profile; null: rungs are offered without measures.</summary>
    public KvProfile? Profile { get; init; }

    /// <summary>Where idle sequences are spilled to; null: they are dropped when memory is needed.</summary>
    public SessionPages? Pages { get; init; }

    /// <summary>Facts of the rungs; null: those of <see cref="Profile"/>.</summary>
    internal IReadOnlyList<KvRungFacts>? Ladder { get; init; }

    /// <summary>True: the caller runs steps and page files, one thread at a time.</summary>
    internal bool Manual { get; init; }
}
