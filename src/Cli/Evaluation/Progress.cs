using System.Globalization;

namespace Concertina.Cli.Evaluation;

/// <summary>How far a long command is and how long it still takes, on standard error, at most every two seconds.</summary>
internal sealed class Progress(TimeProvider time, double total)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly long _start = time.GetTimestamp();
    private double _done;
    private TimeSpan _shown = TimeSpan.MinValue;

    /// <summary>Adds work done; the unit is that of the total.</summary>
    /// <param name="work">Work.</param>
    /// <param name="what">What was done, for people.</param>
    public void Add(double work, string what)
    {
        _done += work;
        TimeSpan elapsed = time.GetElapsedTime(_start);
        if (elapsed - Pause < _shown && _done < total)
        {
            return;
        }
        _shown = elapsed;
        TimeSpan left = elapsed * ((total - _done) / Math.Max(_done, 1e-9));
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Math.Min(100, 100 * _done / total),3:F0} %  {elapsed:hh\\:mm\\:ss}, about {left:hh\\:mm\\:ss} left: {what}"));
    }
}
