namespace Concertina.Compute.Evaluation;

/// <summary>
/// Right answers of the lossless run and of a rung to the same questions. Questions about one document are not independent,
/// so intervals come from resampling documents (cluster bootstrap), with a seeded generator.
/// </summary>
public sealed class PairedRecall
{
    private const int Draws = 2000;
    private const double Tail = 0.025;

    private readonly List<Answers> _documents = [];

    /// <summary>Questions asked.</summary>
    public int Asked => _documents.Sum(document => document.Asked);

    /// <summary>Share of right answers on the rung.</summary>
    public double Recall => Share(_documents.Sum(document => document.Rung), Asked);

    /// <summary>Share of right answers on the rung less that of the lossless run.</summary>
    public double Delta => Share(_documents.Sum(document => document.Rung - document.Lossless), Asked);

    /// <summary>Adds the answers to the questions about one document.</summary>
    /// <param name="length">Its nominal length.</param>
    /// <param name="lossless">Whether each question was answered rightly by the lossless run.</param>
    /// <param name="rung">The same on the rung.</param>
    public void Add(int length, ReadOnlySpan<bool> lossless, ReadOnlySpan<bool> rung)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rung.Length, lossless.Length);
        _documents.Add(new Answers(length, rung.Length, lossless.Count(true), rung.Count(true)));
    }

    /// <summary>Questions by the nominal length of their document, shortest first.</summary>
    public IReadOnlyList<RecallAtLength> ByLength() =>
    [
        .. _documents.GroupBy(document => document.Length).OrderBy(length => length.Key).Select(length =>
        {
            int asked = length.Sum(document => document.Asked);
            return new RecallAtLength(
                length.Key, asked, Share(length.Sum(document => document.Rung), asked),
                Share(length.Sum(document => document.Rung - document.Lossless), asked));
        }),
    ];

    /// <summary>95 % interval of <see cref="Delta"/>.</summary>
    public (double Low, double High) DeltaInterval(int seed)
    {
        if (_documents.Count == 0)
        {
            return (0, 0);
        }
        var random = new Random(seed);
        double[] deltas = new double[Draws];
        for (int draw = 0; draw < Draws; draw++)
        {
            int asked = 0;
            int more = 0;
            for (int i = 0; i < _documents.Count; i++)
            {
                Answers document = _documents[random.Next(_documents.Count)];
                asked += document.Asked;
                more += document.Rung - document.Lossless;
            }
            deltas[draw] = Share(more, asked);
        }
        Array.Sort(deltas);
        return (deltas[(int)(Tail * Draws)], deltas[(int)((1 - Tail) * Draws) - 1]);
    }

    private static double Share(int right, int asked) => asked == 0 ? 0 : (double)right / asked;

    private readonly record struct Answers(int Length, int Asked, int Lossless, int Rung);
}
