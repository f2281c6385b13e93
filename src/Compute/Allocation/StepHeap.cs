namespace Concertina.Compute.Allocation;

/// <summary>What the next step of a session costs.</summary>
/// <param name="CostPerByte">Price.</param>
/// <param name="Order">Smaller goes first among equal prices.</param>
/// <param name="Session">Index of the session, which decides what is still equal.</param>
internal readonly record struct StepPrice(double CostPerByte, long Order, int Session) : IComparable<StepPrice>
{
    public int CompareTo(StepPrice other)
    {
        int byPrice = CostPerByte.CompareTo(other.CostPerByte);
        int byOrder = byPrice != 0 ? byPrice : Order.CompareTo(other.Order);
        return byOrder != 0 ? byOrder : Session.CompareTo(other.Session);
    }
}

/// <summary>The cheapest next step over all sessions.</summary>
internal sealed class StepHeap
{
    private readonly PriorityQueue<int, StepPrice> _queue = new();

    public void Clear() => _queue.Clear();

    public void Push(in StepPrice step) => _queue.Enqueue(step.Session, step);

    public bool TryPop(out int session) => _queue.TryDequeue(out session, out _);
}
