using Concertina.Compute.Calibration;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Profile;
using Concertina.Compute.Tests.Model;

namespace Concertina.Compute.Tests.Calibration;

public sealed class ModelCalibrationTests : IDisposable
{
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

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private KvProfile Train(
        RandomModel model, string folder, int threads, int seed = 1, Action? onHead = null, CancellationToken cancellation = default)
    {
        int[] text = [.. Enumerable.Range(0, 400).Select(position => (position * 31 * position) % 77)];
        var plan = new CalibrationPlan { Seed = seed, Threads = threads, ExpectedTokens = 100, WorkFolder = Path.Combine(_folder, folder) };
        return ModelCalibration.Train(model, [text], plan, _ => onHead?.Invoke(), cancellation);
    }
}
