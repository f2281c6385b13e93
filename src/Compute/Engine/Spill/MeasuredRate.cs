namespace Concertina.Compute.Engine.Spill;

/// <summary>How much is done in a second, an exponential mean over the time that was worked. Thread-safe.</summary>
internal sealed class MeasuredRate
{
    /// <summary>Weight of a sample against all before it.</summary>
    private const double NewestShare = 0.2;

    private readonly Lock _lock = new();
    private double _amount;
    private double _seconds;

    /// <summary>Units a second; null before anything was measured.</summary>
    public double? PerSecond
    {
        get
        {
            lock (_lock)
            {
                return _seconds > 0 && _amount > 0 ? _amount / _seconds : null;
            }
        }
    }

    /// <summary>Counts work that was done. Amount and time are averaged apart, so long samples weigh more than short ones.</summary>
    public void Add(double amount, TimeSpan elapsed)
    {
        lock (_lock)
        {
            bool first = _seconds == 0;
            _amount = first ? amount : _amount + (NewestShare * (amount - _amount));
            _seconds = first ? elapsed.TotalSeconds : _seconds + (NewestShare * (elapsed.TotalSeconds - _seconds));
        }
    }
}
