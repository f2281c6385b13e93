namespace Concertina.Compute.Allocation;

/// <summary>What the next step of a session costs.</summary>
/// <param name="CostPerByte">Price.</param>
/// <param name="Order">Smaller goes first among equal prices.</param>
/// <param name="Session">Index of the session, which decides what is still equal.</param>
internal readonly record struct StepPrice(double CostPerByte, long Order, int Session)
{
    public bool Precedes(in StepPrice other)
    {
        if (CostPerByte != other.CostPerByte)
        {
            return CostPerByte < other.CostPerByte;
        }
        return Order != other.Order ? Order < other.Order : Session < other.Session;
    }
}

/// <summary>
/// The cheapest next step over all sessions: a binary heap of its own, because comparing inline makes a plan twice as fast as
/// the framework's queue does.
/// </summary>
internal sealed class StepHeap
{
    private StepPrice[] _entries = [];
    private int _count;

    public void Clear(int capacity)
    {
        _count = 0;
        if (_entries.Length < capacity)
        {
            _entries = new StepPrice[2 * capacity];
        }
    }

    public void Push(in StepPrice step)
    {
        int child = _count++;
        while (child > 0 && step.Precedes(_entries[(child - 1) / 2]))
        {
            _entries[child] = _entries[(child - 1) / 2];
            child = (child - 1) / 2;
        }
        _entries[child] = step;
    }

    public bool TryPop(out int session)
    {
        if (_count == 0)
        {
            session = -1;
            return false;
        }
        session = _entries[0].Session;
        StepPrice last = _entries[--_count];
        int parent = 0;
        for (int child = 1; child < _count; child = (2 * parent) + 1)
        {
            child += child + 1 < _count && _entries[child + 1].Precedes(_entries[child]) ? 1 : 0;
            if (!_entries[child].Precedes(last))
            {
                break;
            }
            (_entries[parent], parent) = (_entries[child], child);
        }
        _entries[parent] = last;
        return true;
    }
}
