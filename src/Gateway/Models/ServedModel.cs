using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Models;

/// <summary>A model that requests can be sent to.</summary>
internal sealed class ServedModel(ModelFacts facts, ModelText text, string factsFrom)
{
    private volatile ClusterLoad _load = new([]);

    /// <summary>What a worker said of it.</summary>
    public ModelFacts Facts { get; } = facts;

    /// <summary>Its text side: template, tokens, characters.</summary>
    public ModelText Text { get; } = text;

    /// <summary>The worker that gave <see cref="Facts"/>; when it is gone they are fetched again.</summary>
    public string FactsFrom { get; } = factsFrom;

    /// <summary>Its workers at the last look; routes requests while the budget grain is silent.</summary>
    public ClusterLoad Load
    {
        get => _load;
        set => _load = value;
    }

    /// <summary>True when some worker takes new work.</summary>
    public bool Accepting => Array.Exists(_load.Workers, worker => worker is { Accepting: true, StalledStage: null });
}
