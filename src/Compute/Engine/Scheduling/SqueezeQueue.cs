namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Sequences on their way to a rung, each once, in the order they asked. Bounded by the open sequences. Engine thread only.</summary>
internal sealed class SqueezeQueue
{
    private readonly Queue<Sequence> _waiting = [];

    public int Count => _waiting.Count;

    /// <summary>Adds a sequence that is not in the queue.</summary>
    public void Add(Sequence sequence)
    {
        if (!sequence.Squeezing)
        {
            sequence.Squeezing = true;
            _waiting.Enqueue(sequence);
        }
    }

    /// <summary>The sequences, in the order of their turns.</summary>
    public Queue<Sequence>.Enumerator GetEnumerator() => _waiting.GetEnumerator();

    /// <summary>The sequence whose turn it is, or null.</summary>
    public Sequence? First => _waiting.TryPeek(out Sequence? first) ? first : null;

    /// <summary>Takes the first one out.</summary>
    public void RemoveFirst() => _waiting.Dequeue().Squeezing = false;

    /// <summary>Puts the first one behind the others.</summary>
    public void Rotate() => _waiting.Enqueue(_waiting.Dequeue());
}
