using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Orleans.Runtime;

namespace Concertina.Runtime.Activations;

/// <summary>The activations of one silo.</summary>
internal sealed class Catalog
{
    private readonly ConcurrentDictionary<GrainId, Activation> _activations = new();

    internal int Count => _activations.Count;

    internal bool TryGet(GrainId grainId, [NotNullWhen(true)] out Activation? activation) =>
        _activations.TryGetValue(grainId, out activation);

    /// <summary>The activation in the table after the call; the given one or one that was faster.</summary>
    internal Activation GetOrAdd(Activation activation) => _activations.GetOrAdd(activation.GrainId, activation);

    internal void Remove(Activation activation) =>
        _activations.TryRemove(new KeyValuePair<GrainId, Activation>(activation.GrainId, activation));

    internal Activation[] Snapshot() => [.. _activations.Values];
}
