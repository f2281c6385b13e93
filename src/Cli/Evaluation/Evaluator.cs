using Concertina.Compute.Evaluation;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Cli.Evaluation;

/// <summary>Measures rungs on texts and questions, and puts the figures together.</summary>
internal sealed class Evaluator(EvaluatedModel model, EvaluationSettings settings, TimeProvider time)
{
    private const int AnswerTokens = 40;
    private const int Percents = 4;

    /// <summary>Tokens of one answer, about, for the estimate of the time left.</summary>
    private const double QuestionWork = 60;

    /// <summary>Measures everything.</summary>
    /// <param name="windows">Texts.</param>
    /// <param name="questions">Questions; may be empty.</param>
    /// <param name="seed">Seed of the intervals.</param>
    /// <param name="cancellation">Cancels between steps.</param>
    public (IReadOnlyList<RungEvaluation> Rungs, int ComparedTokens, int Questions) Run(
        IReadOnlyList<int[]> windows, IReadOnlyList<RecallTexts> questions, int seed, CancellationToken cancellation)
    {
        var progress = new Progress(time, Work(windows, questions));
        using EvaluationRig rig = new(model.File, model.Profile, settings);
        RungCost[] at2K = Costs(rig, windows, 2048);
        RungCost[] at8K = Costs(rig, windows, 8192);
        progress.Add(windows[0].Length * 2.0, "bytes and speed");
        DivergenceSamples[] divergence = [.. at8K.Select(_ => new DivergenceSamples())];
        foreach (int[] window in windows)
        {
            DivergenceSamples[] samples = new TextEvaluation(rig).Run(window, cancellation);
            for (int rung = 0; rung < samples.Length; rung++)
            {
                divergence[rung].Add(samples[rung]);
            }
            progress.Add(window.Length * (settings.Rungs.Count + 1.0), "divergence of the text");
        }
        if (Array.FindIndex(divergence, samples => !double.IsFinite(samples.MeanKl)) is >= 0 and int broken)
        {
            throw new InvalidOperationException($"Rung {(broken == 0 ? "f16" : rig.RungNames[broken - 1])} gives logits that are no numbers.");
        }
        PairedRecall[] recalls = Ask(rig, questions, progress, cancellation);
        List<RungEvaluation> rungs = [];
        for (int rung = 0; rung < at8K.Length; rung++)
        {
            string name = rung == 0 ? "f16" : Named(rig.RungNames[rung - 1]);
            rungs.Add(Entry(name, divergence[rung], at8K[rung], recalls[rung], seed) with
            {
                Ratio = Round(at8K[0].BytesPerToken / at8K[rung].BytesPerToken),
                BytesPerToken2K = Round(at2K[rung].BytesPerToken),
                CodebookBytes = rig.CodebookBytes(rung) is > 0 and long bytes ? bytes : null,
            });
        }
        return (rungs, divergence[0].Count, recalls[0].Asked);
    }

    // An ablation is no rung of its own: its name says which rung and how it chose.
    private string Named(string rung)
    {
        if (settings.SqueezesWindow)
        {
            return $"{rung}~bare";
        }
        if (!rung.Contains(RungCatalog.EvictSuffix, StringComparison.Ordinal))
        {
            return rung;
        }
        string how = settings.Eviction == EvictionModes.Method ? "" : settings.Eviction;
        string mode = how + (settings.EvictsAfterQuestions ? "asked" : "");
        return mode.Length == 0 ? rung : $"{rung}~{mode}";
    }

    private double Work(IReadOnlyList<int[]> windows, IReadOnlyList<RecallTexts> questions)
    {
        double text = windows.Sum(window => (double)window.Length) * (settings.Rungs.Count + 1);
        double documents = questions.Sum(document => document.Document.Prefix.Length
            + (document.Values.Count * QuestionWork * (settings.Rungs.Count + 1)));
        return text + documents + (windows[0].Length * 2.0);
    }

    private RungCost[] Costs(EvaluationRig rig, IReadOnlyList<int[]> windows, int tokens)
    {
        int[] text = [.. windows.SelectMany(window => window).Take(Math.Min(tokens, rig.Config.ContextLength - 1))];
        return RungCost.Measure(rig, text, time);
    }

    private PairedRecall[] Ask(EvaluationRig rig, IReadOnlyList<RecallTexts> questions, Progress progress, CancellationToken cancellation)
    {
        PairedRecall[] recalls = [.. Enumerable.Range(0, rig.RungNames.Count + 1).Select(_ => new PairedRecall())];
        var evaluation = new RecallEvaluation(rig, [.. model.Tokenizer.EosIds], AnswerTokens);
        foreach (RecallTexts texts in questions)
        {
            IReadOnlyList<IReadOnlyList<int[]>> answers = evaluation.Answer(texts.Document, cancellation);
            bool[][] right = [.. answers.Select(rung => rung.Select((answer, question) => IsRight(answer, texts.Values[question])).ToArray())];
            for (int rung = 0; rung < right.Length; rung++)
            {
                recalls[rung].Add(texts.Document.Length, right[0], right[rung]);
            }
            progress.Add(
                texts.Document.Prefix.Length + (texts.Values.Count * QuestionWork * right.Length), $"questions about {texts.Document.Length} tokens");
        }
        return recalls;
    }

    private bool IsRight(int[] answer, string value) =>
        model.Tokenizer.Decode(answer, skipSpecial: true).Contains(value, StringComparison.Ordinal);

    private static RungEvaluation Entry(string name, DivergenceSamples divergence, RungCost cost, PairedRecall recall, int seed)
    {
        (double low, double high) = recall.DeltaInterval(seed);
        return new RungEvaluation
        {
            Rung = name,
            Ratio = 1,
            BytesPerToken = Round(cost.BytesPerToken),
            MeanKl = divergence.MeanKl,
            P99Kl = divergence.P99Kl,
            Perplexity = Round(divergence.Perplexity),
            Top1Agreement = Round(divergence.Top1Agreement),
            Recall = recall.Asked == 0 ? null : Round(recall.Recall),
            RecallDelta = recall.Asked == 0 ? null : Round(recall.Delta),
            RecallCi95 = recall.Asked == 0 ? null : [Round(low), Round(high)],
            RecallByLength = recall.Asked == 0
                ? null
                : [.. recall.ByLength().Select(at => at with { Recall = Round(at.Recall), RecallDelta = Round(at.RecallDelta) })],
            AttendNs = Math.Round(cost.AttendNs, 2),
            EncodeNs = Math.Round(cost.EncodeNs, 1),
        };
    }

    private static double Round(double value) => Math.Round(value, Percents);
}
