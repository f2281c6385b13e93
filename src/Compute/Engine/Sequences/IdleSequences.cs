namespace Concertina.Compute.Engine;

/// <summary>Open sequences that hold units but no commitment, least recently used first. Engine thread only.</summary>
internal sealed class IdleSequences
{
    private readonly LinkedList<Sequence> _byAge = [];

    public int Count => _byAge.Count;

    /// <summary>All of them, least recently used first.</summary>
    public LinkedList<Sequence> ByAge => _byAge;

    public void Add(Sequence sequence) => sequence.IdlePlace = _byAge.AddLast(sequence);

    /// <summary>No effect on one that is not idle.</summary>
    public void Remove(Sequence sequence)
    {
        if (sequence.IdlePlace is { } place)
        {
            _byAge.Remove(place);
            sequence.IdlePlace = null;
        }
    }

    /// <summary>Takes out the one that was used longest ago, one for which no request waits before the others; or null.</summary>
    public Sequence? TakeOldest()
    {
        LinkedListNode<Sequence>? place = _byAge.First;
        while (place is { Value.CurrentRun: not null })
        {
            place = place.Next;
        }
        Sequence? oldest = (place ?? _byAge.First)?.Value;
        if (oldest is not null)
        {
            Remove(oldest);
        }
        return oldest;
    }
}
