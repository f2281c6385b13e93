using Concertina.Compute.Evaluation;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Tests.Model;

namespace Concertina.Compute.Tests.Evaluation;

public sealed class EvaluationTests
{
    private static readonly int[] Text = [.. Enumerable.Range(0, 500).Select(position => (position * position) % 77)];

    [Fact]
    public void The_lossless_rung_diverges_by_nothing_and_deeper_row_rungs_by_more()
    {
        using RandomModel model = Model();
        using EvaluationRig rig = Rig(model, ["int8", "int4", "int2"]);

        DivergenceSamples[] samples = new TextEvaluation(rig).Run(Text, CancellationToken.None);

        Assert.Equal(0, samples[0].MeanKl);
        Assert.Equal(1, samples[0].Top1Agreement);
        Assert.All(samples, rung => Assert.Equal(Text.Length - TextEvaluation.FirstPosition, rung.Count));
        Assert.True(0 < samples[1].MeanKl && samples[1].MeanKl < samples[2].MeanKl && samples[2].MeanKl < samples[3].MeanKl);
        rig.Cache.CheckIntegrity();
    }

    [Fact]
    public void Without_a_window_every_full_page_is_squeezed_and_more_is_lost()
    {
        using RandomModel model = Model();
        using EvaluationRig kept = Rig(model, ["int2"]);
        using EvaluationRig bare = new(model, profile: null, kept.Settings with { SqueezesWindow = true });

        double with = new TextEvaluation(kept).Run(Text, CancellationToken.None)[1].MeanKl;
        double without = new TextEvaluation(bare).Run(Text, CancellationToken.None)[1].MeanKl;

        Assert.True(without > with);
        PageTable table = bare.NewTable(rung: 1);
        bare.Prefill(table, Text);
        CodecId[] codecs = [.. Enumerable.Range(0, KvShape.PagesFor(Text.Length)).Select(page => (CodecId)bare.Cache.Interior.Units.Entry(table.Unit(0, page)).KeyCodec)];
        Assert.Equal([.. Enumerable.Repeat(CodecId.Int2, Text.Length / KvShape.PageTokens), CodecId.F16], codecs);
        bare.Cache.Release(table);
        Assert.Throws<ArgumentException>(() => new EvaluationRig(model, null, bare.Settings with { Rungs = ["int4+evict2"] }));
    }

    [Theory]
    [InlineData(2, 64)]
    [InlineData(1, 17)]
    public void Divergences_do_not_depend_on_threads_or_on_the_rungs_beside_them(int threads, int chunk)
    {
        using RandomModel model = Model();
        using EvaluationRig together = Rig(model, ["int8", "int4"], threads: 1);
        using EvaluationRig alone = Rig(model, ["int4"], threads, chunk);

        double expected = new TextEvaluation(together).Run(Text, CancellationToken.None)[2].MeanKl;

        // With another chunk columns are squeezed at other moments, which is another run; with the same one bits agree.
        double found = new TextEvaluation(alone).Run(Text, CancellationToken.None)[1].MeanKl;
        Assert.InRange(found, chunk == 64 ? expected : expected / 2, chunk == 64 ? expected : expected * 2);
    }

    [Fact]
    public void Answers_on_the_lossless_rung_are_those_of_a_sequence_that_was_never_forked()
    {
        using RandomModel model = Model();
        using EvaluationRig rig = Rig(model, ["int4"]);
        RecallDocument document = RecallDocument.Of(400, [[.. Text[..400], 1, 2, 3], [.. Text[..400], 5], [.. Text[..400], 1, 7]]);

        IReadOnlyList<IReadOnlyList<int[]>> answers = new RecallEvaluation(rig, [], 12).Answer(document, CancellationToken.None);

        Assert.Equal(400, document.Prefix.Length);
        for (int question = 0; question < 3; question++)
        {
            Assert.Equal(Greedy(rig, [.. document.Prefix, .. document.Questions[question]], 12), answers[0][question]);
        }
        Assert.Equal(2, answers.Count);
        rig.Cache.CheckIntegrity();
        rig.Cache.DropUnreferenced(long.MaxValue);
        Assert.Equal(0, rig.Cache.Statistics().LiveUnits);
    }

    [Theory]
    [InlineData(96)]
    [InlineData(2)]
    public void The_self_test_passes_sound_rungs_and_names_a_broken_one_however_few_rows_a_step_has(int rows)
    {
        using RandomModel model = Model();
        using PagedKvCache cache = new(model.Config.ToKvShape(), new KvCacheOptions { BudgetBytes = 256L << 20 }, new CacheParts
        {
            Open = new F16Codec(),
            Codecs = new CodecSet(CodecCatalog.All.Append(new ScrambledCodec())),
            Rungs = [RungCatalog.Parse("int4"), new Rung("scrambled", "scrambled", "scrambled", 1)],
        });
        using var runner = CpuModelRunner.Create(model, cache, new CpuRunnerOptions { MaxStepRows = 96, MaxLogitRows = rows, Threads = 1 });

        SelfTestResult result = RungSelfTest.Run(runner, cache, profile: null);

        Assert.Null(result.NotRun);
        Assert.Equal(["scrambled"], result.Failed.Keys);
        Assert.Contains("nats", result.Failed["scrambled"]);
        Assert.Equal(0, cache.Statistics().LiveUnits);
    }

    [Fact]
    public void A_self_test_that_finds_no_room_says_what_it_needs()
    {
        using RandomModel model = Model();
        using PagedKvCache cache = new(
            model.Config.ToKvShape(), new KvCacheOptions { BudgetBytes = 64L << 20 }, CacheParts.WithoutProfile("int4"));
        using var runner = CpuModelRunner.Create(model, cache, new CpuRunnerOptions { MaxStepRows = 96, MaxLogitRows = 1, Threads = 1 });

        SelfTestResult result = RungSelfTest.Run(runner, cache, profile: null);

        Assert.Empty(result.Failed);
        Assert.Contains("2 rows of logits in a step (there are 1)", result.NotRun!, StringComparison.Ordinal);
    }

    [Fact]
    public void Recall_is_told_by_the_length_of_the_document_too()
    {
        var recall = new PairedRecall();
        recall.Add(4096, [true, true], [true, false]);
        recall.Add(1024, [true, false], [true, true]);
        recall.Add(4096, [true, false], [true, false]);

        Assert.Equal([new RecallAtLength(1024, 2, 1, 0.5), new RecallAtLength(4096, 4, 0.5, -0.25)], recall.ByLength());
    }

    [Fact]
    public void An_interval_covers_the_difference_and_closes_where_all_answers_agree()
    {
        var recall = new PairedRecall();
        for (int document = 0; document < 20; document++)
        {
            recall.Add(1024, [true, true, true, document % 2 == 0], [true, true, document % 4 != 0, document % 2 == 0]);
        }
        var same = new PairedRecall();
        same.Add(1024, [true, false], [true, false]);

        (double low, double high) = recall.DeltaInterval(seed: 1);

        Assert.Equal(-5 / 80.0, recall.Delta, 12);
        Assert.InRange(recall.Delta, low, high);
        Assert.True(low < recall.Delta && recall.Delta < high && high <= 0);
        Assert.Equal((low, high), recall.DeltaInterval(seed: 1));
        Assert.Equal((0, 0), same.DeltaInterval(seed: 1));
    }

    [Fact]
    public void Divergence_of_two_rows_is_that_of_their_definition()
    {
        float[] p = [0.5f, -1f, 2f, 300f];
        float[] q = [0.4f, -1.5f, 2.5f, 299f];
        double[] Softmax(float[] logits) => [.. logits.Select(logit => Math.Exp(logit - logits.Max()) / logits.Sum(other => Math.Exp(other - logits.Max())))];
        double expected = Softmax(p).Zip(Softmax(q)).Sum(pair => pair.First == 0 ? 0 : pair.First * Math.Log(pair.First / pair.Second));

        Assert.Equal(expected, LogitDivergence.Kl(p, q), 12);
        Assert.Equal(0, LogitDivergence.Kl(p, p));
        Assert.True(double.IsNaN(LogitDivergence.Kl(p, [float.NaN, 0, 0, 0])));
    }

    private static int[] Greedy(EvaluationRig rig, int[] prompt, int count)
    {
        PageTable table = rig.NewTable(0);
        List<int> answer = [];
        rig.Prefill(table, prompt.AsSpan()[..^1]);
        int[] rows = [prompt[^1]];
        while (answer.Count < count)
        {
            rig.Clear();
            rig.Add(table, rows, 1);
            rig.Run();
            answer.Add(LogitDivergence.Argmax(rig.Batch.Logits(0)));
            rows = [answer[^1]];
        }
        rig.Clear();
        rig.Cache.Release(table);
        return [.. answer];
    }

    private static RandomModel Model() => RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);

    private static EvaluationRig Rig(RandomModel model, string[] rungs, int threads = 2, int chunk = 64) =>
        new(model, null, new EvaluationSettings { Rungs = rungs, BudgetBytes = 256L << 20, Threads = threads, ChunkTokens = chunk });
}
