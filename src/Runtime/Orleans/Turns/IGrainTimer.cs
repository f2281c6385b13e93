namespace Orleans.Runtime;

/// <summary>A timer of one activation. Ticks run as turns of the grain and never overlap; disposing ends it.</summary>
public interface IGrainTimer : IDisposable
{
    /// <summary>Sets the time of the next tick and the period.</summary>
    /// <param name="dueTime">From now; infinite: no tick.</param>
    /// <param name="period">From the end of a tick to the next; infinite: one tick.</param>
    void Change(TimeSpan dueTime, TimeSpan period);
}
