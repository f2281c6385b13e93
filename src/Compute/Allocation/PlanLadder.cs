using System.Globalization;

namespace Concertina.Compute.Allocation;

/// <summary>The rungs of a model with what a session costs on each: bytes, and distortion with its share of time.</summary>
public sealed class PlanLadder
{
    /// <summary>Most rungs: provenance is a mask of 32 bits.</summary>
    public const int MostRungs = 32;

    private readonly PlanRung[] _rungs;
    private readonly uint[] _leadingTo;
    private readonly int _exactTokens;
    private readonly PlanOptions _options;

    /// <param name="rungs">The rungs, lossless first, by bytes.</param>
    /// <param name="exactTokens">Tokens of a session that stay lossless on every rung.</param>
    /// <param name="options">What is traded off.</param>
    /// <exception cref="ArgumentException">There is no rung or are too many, they are not sorted, or a figure is no number of at least 0.</exception>
    public PlanLadder(IReadOnlyList<PlanRung> rungs, int exactTokens, PlanOptions options)
    {
        ArgumentNullException.ThrowIfNull(rungs);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfNegative(exactTokens);
        if (rungs.Count is 0 or > MostRungs)
        {
            throw new ArgumentException($"A ladder has 1 to {MostRungs} rungs, not {rungs.Count}.", nameof(rungs));
        }
        for (int rung = 0; rung < rungs.Count; rung++)
        {
            Check(rungs[rung], rung == 0 ? double.PositiveInfinity : rungs[rung - 1].BytesPerToken);
        }
        _rungs = [.. rungs];
        _leadingTo = [.. Enumerable.Range(0, _rungs.Length).Select(LeadingTo)];
        _exactTokens = exactTokens;
        _options = options;
    }

    /// <summary>The rungs, lossless first.</summary>
    public IReadOnlyList<PlanRung> Rungs => _rungs;

    /// <summary>Tokens of a session that stay lossless on every rung.</summary>
    public int ExactTokens => _exactTokens;

    /// <summary>Number of rungs.</summary>
    public int Count => _rungs.Length;

    /// <summary>Share by which the budget shrinks before a session is let out.</summary>
    public double Hysteresis => _options.Hysteresis;

    /// <summary>Name of a rung.</summary>
    public string Name(int rung) => _rungs[rung].Name;

    /// <summary>Bytes of a session once it has settled on a rung; what is shared stays as it is.</summary>
    public double Bytes(in PlanSession session, int rung)
    {
        double now = Settled(session.Tokens, session.Rung);
        double shared = now > 0 ? Math.Min(1, session.SharedBytes / now) : 0;
        return (shared * now) + ((1 - shared) * Settled(session.Tokens, rung));
    }

    /// <summary>
    /// What a session costs on a rung, in nats per token times its weight: distortion, attention beyond the lossless time, and
    /// the work of getting there, which is nothing where it is.
    /// </summary>
    public double Cost(in PlanSession session, int rung)
    {
        PlanRung to = _rungs[rung];
        double idle = Math.Max(_options.LeastIdleShare, _options.IdleHalfSeconds / (_options.IdleHalfSeconds + session.IdleSeconds));
        double attend = _options.AttendCost * Math.Max(0, to.AttendRatio - 1);
        double encode = rung == session.Rung ? 0 : _options.EncodeCost * to.EncodeSecondsPerToken * Math.Max(0, session.Tokens - _exactTokens);
        return (session.Weight * idle * (to.Distortion + attend)) + encode;
    }

    /// <summary>
    /// Whether a session may be on a rung: within its floor, by provenance, and upwards only if it may rise. Nobody enters a rung
    /// from which the floor is out of reach: commitments count the bytes of the floor. A session below its floor, which was
    /// tightened, leaves it if it can.
    /// </summary>
    public bool Allows(in PlanSession session, int rung)
    {
        if (rung > session.Floor)
        {
            return rung == session.Rung && !session.MayRise;
        }
        if (rung == session.Rung)
        {
            return true;
        }
        bool leadsOn = Has(_leadingTo[session.Floor], rung) || !Has(_leadingTo[session.Floor], session.Rung);
        return leadsOn && (rung < session.Rung ? session.MayRise : Has(_rungs[rung].Sources & _rungs[rung].Entries, session.Rung));
    }

    /// <summary>Whether a session on a rung can still be brought to its floor.</summary>
    public bool LeadsTo(int rung, int floor) => Has(_leadingTo[floor], rung);

    /// <summary>The deepest rung, not below a given one, from which a floor can still be reached; 0 if there is none.</summary>
    public int NearestLeadingTo(int floor, int rung)
    {
        while (rung > 0 && !LeadsTo(rung, floor))
        {
            rung--;
        }
        return rung;
    }

    private static bool Has(uint mask, int rung) => ((mask >> rung) & 1) != 0;

    // Rungs from which this one can be reached, itself included, over others too.
    private uint LeadingTo(int floor)
    {
        uint leading = 1u << floor;
        for (int rung = floor; rung >= 0; rung--)
        {
            leading |= Has(leading, rung) ? _rungs[rung].Sources & ((1u << rung) - 1) : 0;
        }
        return leading;
    }

    private double Settled(int tokens, int rung) =>
        (_rungs[0].BytesPerToken * Math.Min(tokens, _exactTokens)) + (_rungs[rung].BytesPerToken * Math.Max(0, tokens - _exactTokens));

    private static void Check(PlanRung rung, double bytesAbove)
    {
        double[] figures = [rung.BytesPerToken, rung.Distortion, rung.AttendRatio, rung.EncodeSecondsPerToken];
        if (!Array.TrueForAll(figures, figure => double.IsFinite(figure) && figure >= 0))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"Rung '{rung.Name}' has {rung.BytesPerToken} bytes, {rung.Distortion} nats, {rung.AttendRatio} of the lossless attention and {rung.EncodeSecondsPerToken} s of encoding; all are numbers of at least 0."));
        }
        if (rung.BytesPerToken > bytesAbove)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"Rung '{rung.Name}' has {rung.BytesPerToken} bytes per token, more than {bytesAbove} of the rung before it; a ladder is sorted by bytes."));
        }
    }
}
