using Concertina.Gateway.Generations;

namespace Concertina.Gateway.Telemetry;

/// <summary>Times the tokens of one generation for the metrics: the first, the gaps, the mean gap at the end.</summary>
internal sealed class TokenClock(GatewayMetrics metrics, TimeProvider time, ChatJob job)
{
    private readonly string _model = job.Model.Facts.Name;
    private long _first;
    private long _last;
    private int _count;

    /// <summary>Tokens arrived now; several that come together share the gap.</summary>
    public void Tokens(int count)
    {
        if (count == 0)
        {
            return;
        }
        long now = time.GetTimestamp();
        if (_count == 0)
        {
            _first = now;
            job.Scope.Stage("first token");
            metrics.FirstToken(_model, time.GetElapsedTime(job.Scope.StartedAt, now));
        }
        else
        {
            metrics.TokenGaps(_model, time.GetElapsedTime(_last, now) / count, count);
        }
        _last = now;
        _count += count;
    }

    /// <summary>The last token has come.</summary>
    public void End()
    {
        if (_count > 1)
        {
            metrics.MeanTokenTime(_model, time.GetElapsedTime(_first, _last) / (_count - 1));
        }
    }
}
