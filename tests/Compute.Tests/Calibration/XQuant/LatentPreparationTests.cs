using Concertina.Compute.Calibration;
using Concertina.Compute.Calibration.XQuant;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Profile;
using Concertina.Compute.Tests.Model;

namespace Concertina.Compute.Tests.Calibration.XQuant;

/// <summary>Decompositions, the maps of a model, and their way through a profile.</summary>
public sealed class LatentPreparationTests
{
    [Theory]
    [InlineData(24, 8)]
    [InlineData(33, 7)]
    [InlineData(6, 9)]
    [InlineData(1, 1)]
    public void A_decomposition_is_orthonormal_in_order_and_reproduces_its_matrix(int rows, int columns)
    {
        var random = new Random(rows);
        double[] matrix = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextDouble() - 0.5)];

        var svd = ThinSvd.Of(matrix, columns);

        Assert.Equal(Math.Min(rows, columns), svd.Rank);
        Assert.Equal(svd.AllSigma.OrderDescending(), svd.AllSigma);
        foreach (IReadOnlyList<double[]> basis in new[] { svd.Left, svd.Right })
        {
            for (int a = 0; a < svd.Rank; a++)
            {
                for (int b = 0; b < svd.Rank; b++)
                {
                    Assert.Equal(a == b ? 1 : 0, basis[a].Zip(basis[b], (x, y) => x * y).Sum(), 1e-12);
                }
            }
        }
        Assert.All(svd.Left, column => Assert.True(column.MaxBy(Math.Abs) > 0));
        double[] mixing = svd.Mixing();
        for (int i = 0; i < matrix.Length; i++)
        {
            Assert.Equal(matrix[i], Enumerable.Range(0, svd.Rank).Sum(latent => svd.Left[latent][i / columns] * mixing[(latent * columns) + (i % columns)]), 1e-12);
        }
    }

    [Fact]
    public void Ties_of_magnitude_go_to_the_lowest_row()
    {
        var svd = ThinSvd.Of([-1, 0, 1, 0], 2);

        Assert.Equal(1, svd.Rank);
        Assert.True(svd.Left[0][0] > 0);
        Assert.Equal(double.PositiveInfinity, svd.Condition);
    }

    [Fact]
    public void What_has_no_decomposition_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ThinSvd.Of([0, 0, 0, 0], 2));
        Assert.Throws<ArgumentException>(() => ThinSvd.Of([1, 2, 3], 2));
        Assert.Contains("Row 1, column 0", Assert.Throws<ArgumentException>(() => ThinSvd.Of([1, 2, double.NaN, 3], 2)).Message);
    }

    [Fact]
    public void Latents_by_the_left_basis_and_from_outputs_are_the_same_and_give_the_outputs_back()
    {
        const int Channels = 32;
        double[] weights = KvCache.Codecs.XQuant.TestXQuant.Weights(Channels, seed: 4);
        var svd = ThinSvd.Of(weights, Channels);
        LatentMap map = LatentPreparation.Map(weights, Channels, "test");
        var random = new Random(9);
        double[] input = [.. Enumerable.Range(0, 2 * Channels).Select(_ => random.NextDouble() - 0.5)];
        double[] output = [.. Enumerable.Range(0, Channels).Select(c => Enumerable.Range(0, 2 * Channels).Sum(i => input[i] * weights[(i * Channels) + c]))];
        double largest = output.Max(Math.Abs);

        double[] latents = [.. svd.Left.Select(column => column.Zip(input, (u, x) => u * x).Sum())];
        double[] recovered = [.. Enumerable.Range(0, Channels).Select(latent =>
            Enumerable.Range(0, Channels).Sum(c => output[c] * map.Row(latent)[c]) / ((double)map.Sigma.Span[latent] * map.Sigma.Span[latent]))];

        Assert.All(latents.Zip(recovered), pair => Assert.Equal(pair.First, pair.Second, 2e-6 * latents.Max(Math.Abs)));
        for (int c = 0; c < Channels; c++)
        {
            int channel = c;
            Assert.Equal(output[c], Enumerable.Range(0, Channels).Sum(latent => latents[latent] * map.Row(latent)[channel]), 2e-6 * largest);
        }
    }

    [Fact]
    public void A_decomposition_that_misses_its_matrix_is_seen()
    {
        double[] weights = KvCache.Codecs.XQuant.TestXQuant.Weights(16, seed: 4);
        var svd = ThinSvd.Of(weights, 16);
        float[] mixing = [.. svd.Mixing().Select(entry => (float)entry)];
        double error = LatentPreparation.RelativeError(weights, svd, mixing);
        mixing[17] += 0.1f;

        Assert.InRange(error, 0, 1e-6);
        Assert.True(LatentPreparation.RelativeError(weights, svd, mixing) > LatentPreparation.Acceptance);
    }

    [Fact]
    public void Maps_of_a_model_go_through_a_profile_and_make_its_codecs()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        KvShape shape = model.Config.ToKvShape();
        KvProfile without = Profile(model.ContentHash, shape);

        KvProfile profile = KvProfile.Parse(ModelCalibration.WithLatents(without, model, CancellationToken.None).ToBytes());

        Assert.True(profile.HasXQuant);
        Assert.Equal(shape.LayerCount, profile.Latents!.Count);
        CodecSet codecs = ModelCache.Codecs(model, profile, [RungCatalog.Parse("xq4")]);
        Assert.Equal(["xq8", "xq4", "xq3", "xq2"], codecs.All.Where(codec => codec.Kind == Compute.KvCache.Memory.UnitKind.LayerPage).Select(codec => codec.Name));
        Assert.Null(ModelCache.Codecs(model, without, [RungCatalog.Parse("xq4")]).Find("xq4"));
        Assert.Null(ModelCache.Codecs(model, profile: null, [RungCatalog.Parse("xq4")]).Find("xq4"));
        Assert.True(ModelCalibration.WithRungs(profile, [new RungMeasure { Name = "f16", OnLadder = true }], 0).HasXQuant);
        Assert.Throws<ArgumentException>(() => ModelCalibration.WithLatents(Profile("other", shape), model, CancellationToken.None));
    }

    [Fact]
    public void Maps_of_lower_rank_and_with_biases_come_back_as_they_were()
    {
        float[] bias = [1f, 2f];
        float[] sigma = [3f, 1f];
        float[] matrix = [1f, 0f, 0f, 1f];
        LayerLatents[] layers =
        [
            new(new LatentMap(sigma, matrix, bias), new LatentMap(sigma.AsMemory(0, 1), matrix.AsMemory(0, 2))),
            new(new LatentMap(sigma.AsMemory(0, 1), matrix.AsMemory(0, 2)), new LatentMap(sigma.AsMemory(0, 1), matrix.AsMemory(2))),
        ];
        var file = new SafeTensorsFile();
        LatentTensors.Write(layers, file);

        IReadOnlyList<LayerLatents> back = LatentTensors.Read(SafeTensorsFile.Parse(file.ToBytes()), new KvShape(2, 1, 1, 2))!;

        for (int layer = 0; layer < 2; layer++)
        {
            foreach (KvSide side in Enum.GetValues<KvSide>())
            {
                Assert.Equal(layers[layer].Of(side).Sigma.ToArray(), back[layer].Of(side).Sigma.ToArray());
                Assert.Equal(layers[layer].Of(side).Matrix.ToArray(), back[layer].Of(side).Matrix.ToArray());
            }
        }
        Assert.Equal(bias, back[0].Keys.Bias.ToArray());
        Assert.Equal(1, back[1].Values.Rank);
    }

    [Theory]
    [InlineData("xquant.keys.sigma", "missing")]
    [InlineData("xquant.values.m", "missing")]
    [InlineData("xquant.keys.sigma", "zero")]
    [InlineData("xquant.values.sigma", "swapped")]
    [InlineData("xquant.keys.m", "nan")]
    [InlineData("xquant.keys.m", "shape")]
    public void Maps_that_are_incomplete_or_no_decomposition_are_refused(string tensor, string damage)
    {
        float[] sigma = [3f, 1f];
        float[] matrix = [1f, 0f, 0f, 1f];
        LatentMap map = new(sigma, matrix);
        var file = new SafeTensorsFile();
        LatentTensors.Write([new LayerLatents(map, map)], file);
        SafeTensor old = file.Tensors[tensor];
        float[] numbers = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(old.Bytes.Span).ToArray();
        file.Tensors.Remove(tensor);
        switch (damage)
        {
            case "zero":
                Array.Clear(numbers);
                break;
            case "swapped":
                Array.Reverse(numbers);
                break;
            case "nan":
                numbers[0] = float.NaN;
                break;
        }
        if (damage != "missing")
        {
            long[] shape = damage == "shape" ? [1, 4, 1] : old.Shape;
            byte[] bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray();
            file.Tensors[tensor] = new SafeTensor("F32", shape, bytes);
        }

        Assert.Throws<KvProfileException>(() => LatentTensors.Read(file, new KvShape(1, 1, 1, 2)));
    }

    private static KvProfile Profile(string hash, KvShape shape) => new()
    {
        ModelHash = hash,
        Shape = shape,
        Calibration = new CalibrationFacts(1, "text", 1, 1),
        Rungs = [],
    };
}
