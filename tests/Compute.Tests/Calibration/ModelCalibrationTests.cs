using Concertina.Compute.Calibration;
using Concertina.Compute.Evaluation;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Profile;
using Concertina.Compute.Tests.Model;

namespace Concertina.Compute.Tests.Calibration;

public sealed class ModelCalibrationTests : IDisposable
{
    private static readonly int[] Text = [.. Enumerable.Range(0, 400).Select(position => (position * 31 * position) % 77)];
    private readonly string _folder = Directory.CreateTempSubdirectory("calibration").FullName;

    [Fact]
    public void The_same_text_and_seed_give_the_same_profile_on_any_number_of_threads()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);

        byte[] one = Train(model, "one", threads: 1).ToBytes();

        Assert.Equal(one, Train(model, "two", threads: 2).ToBytes());
        Assert.NotEqual(one, Train(model, "other", threads: 2, seed: 2).ToBytes());
    }

    [Fact]
    public void A_calibration_that_was_stopped_goes_on_and_ends_with_the_same_bytes()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        byte[] whole = Train(model, "whole", threads: 1).ToBytes();
        using CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() => Train(model, "stopped", threads: 1, onHead: stop.Cancel, cancellation: stop.Token));
        string[] finished = Directory.GetFiles(Path.Combine(_folder, "stopped"));
        Assert.InRange(finished.Length, 1, 3); // of 4 heads
        DateTime written = File.GetLastWriteTimeUtc(finished[0]);

        byte[] resumed = Train(model, "stopped", threads: 1).ToBytes();

        Assert.Equal(whole, resumed);
        Assert.Equal(written, File.GetLastWriteTimeUtc(finished[0])); // it was not trained again
    }

    [Fact]
    public void Finished_heads_of_another_text_or_half_written_ones_do_not_count()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        Train(model, "work", threads: 1, seed: 9);
        string[] finished = Directory.GetFiles(Path.Combine(_folder, "work"));
        File.WriteAllBytes(finished[0], File.ReadAllBytes(finished[0])[..100]);

        Assert.Equal(Train(model, "clean", threads: 1).ToBytes(), Train(model, "work", threads: 1).ToBytes());
    }

    [Fact]
    public void Arms_are_trained_beside_the_same_ladder_saved_and_can_be_compared()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        KvProfile plain = Train(model, "plain", threads: 1);

        KvProfile armed = KvProfile.Parse(Train(model, "armed", threads: 2, arms: true).ToBytes());

        Assert.Equal(plain.Books!.Version, armed.Books!.Version);
        Assert.Equal(["commvq2u", "commvq2r", "commvq2m"], armed.ArmBooks.Keys);
        Assert.Equal(4, armed.ArmBooks.Values.Select(books => books.Version).Append(plain.Books.Version).Distinct().Count());
        Assert.All(armed.ArmBooks["commvq2m"].Values, book => Assert.Equal(-1, book.Mean.Span.IndexOfAnyExcept(0f)));
        string[] rungs = ["commvq2", "commvq2u", "commvq2r", "commvq2m", "commvq2k", "commvq2v"];
        using EvaluationRig rig = new(model, armed, new EvaluationSettings { Rungs = rungs, BudgetBytes = 256L << 20, Threads = 2 });
        DivergenceSamples[] found = new TextEvaluation(rig).Run(Text, CancellationToken.None);
        Assert.All(found[1..], rung => Assert.InRange(rung.MeanKl, 1e-9, 1));
        // One side alone loses less than both.
        Assert.True(Math.Max(found[5].MeanKl, found[6].MeanKl) < found[1].MeanKl);
        Assert.Throws<ArgumentException>(() => new EvaluationRig(model, plain, new EvaluationSettings { Rungs = ["commvq2u"] }));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private KvProfile Train(
        RandomModel model, string folder, int threads, int seed = 1, Action? onHead = null, bool arms = false, CancellationToken cancellation = default)
    {
        var plan = new CalibrationPlan { Seed = seed, Threads = threads, Arms = arms, ExpectedTokens = 100, WorkFolder = Path.Combine(_folder, folder) };
        return ModelCalibration.Train(model, [Text], plan, _ => onHead?.Invoke(), cancellation);
    }
}
