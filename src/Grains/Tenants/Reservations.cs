namespace Concertina.Grains.Tenants;

/// <summary>
/// What requests hold of their tenant's limits, and which requests are settled: idempotence with bounded memory. The
/// oldest entries are forgotten first; a forgotten reservation stays charged. One thread at a time.
/// </summary>
internal sealed class Reservations(int capacity)
{
    private readonly Dictionary<string, long> _open = [];
    private readonly Queue<string> _openOrder = new();
    private readonly HashSet<string> _settled = [];
    private readonly Queue<string> _settledOrder = new();

    /// <summary>Tokens promised to requests that are not settled.</summary>
    public long OpenTokens { get; private set; }

    /// <summary>Request ids settled lately, oldest first.</summary>
    public IReadOnlyCollection<string> Settled => _settledOrder;

    public bool IsKnown(string requestId) => _open.ContainsKey(requestId) || _settled.Contains(requestId);

    public bool IsSettled(string requestId) => _settled.Contains(requestId);

    public void Open(string requestId, long tokens)
    {
        while (_open.Count >= capacity || _openOrder.Count >= 2 * capacity)
        {
            // Settled ids are skipped: their entry in the order is all that is left of them.
            Forget(_openOrder.Dequeue());
        }
        _open.Add(requestId, tokens);
        _openOrder.Enqueue(requestId);
        OpenTokens += tokens;
    }

    /// <summary>Marks a request as settled.</summary>
    /// <returns>Tokens it had reserved; 0 when the reservation is unknown (made before a restart).</returns>
    public long Settle(string requestId)
    {
        long reserved = Forget(requestId);
        if (_settled.Add(requestId))
        {
            _settledOrder.Enqueue(requestId);
        }
        while (_settled.Count > capacity)
        {
            _settled.Remove(_settledOrder.Dequeue());
        }
        return reserved;
    }

    private long Forget(string requestId)
    {
        if (!_open.Remove(requestId, out long tokens))
        {
            return 0;
        }
        OpenTokens -= tokens;
        return tokens;
    }
}
