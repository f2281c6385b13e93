namespace Concertina.Compute.Evaluation;

/// <summary>What one rung did to the predictions of a text, token by token.</summary>
public sealed class DivergenceSamples
{
    private const double Tail = 0.99;

    private readonly List<double> _kl = [];
    private double _nll;
    private long _predicted;
    private long _agreed;

    /// <summary>Tokens compared.</summary>
    public int Count => _kl.Count;

    /// <summary>Mean divergence, nats per token.</summary>
    public double MeanKl => _kl.Count == 0 ? 0 : _kl.Average();

    /// <summary>99th percentile of the divergence, nats.</summary>
    public double P99Kl
    {
        get
        {
            double[] sorted = [.. _kl.Order()];
            return sorted.Length == 0 ? 0 : sorted[(int)Math.Ceiling(Tail * sorted.Length) - 1];
        }
    }

    /// <summary>e to the mean of -ln of the probability of the next token.</summary>
    public double Perplexity => _predicted == 0 ? double.NaN : Math.Exp(_nll / _predicted);

    /// <summary>Share of tokens whose most likely next token is that of the lossless run.</summary>
    public double Top1Agreement => _kl.Count == 0 ? 1 : (double)_agreed / _kl.Count;

    /// <summary>Adds one position.</summary>
    internal void Add(in PositionDivergence position)
    {
        _kl.Add(position.Kl);
        _agreed += position.Agrees ? 1 : 0;
        if (position.Nll is { } nll)
        {
            _nll += nll;
            _predicted++;
        }
    }

    /// <summary>Adds the samples of another part of the same evaluation.</summary>
    public void Add(DivergenceSamples other)
    {
        ArgumentNullException.ThrowIfNull(other);
        _kl.AddRange(other._kl);
        _nll += other._nll;
        _predicted += other._predicted;
        _agreed += other._agreed;
    }
}

/// <summary>Divergence at one position.</summary>
/// <param name="Kl">Nats.</param>
/// <param name="Nll">-ln of the next token's probability; null at the end of the text.</param>
/// <param name="Agrees">Whether the most likely token is the lossless run's.</param>
internal readonly record struct PositionDivergence(double Kl, double? Nll, bool Agrees);
