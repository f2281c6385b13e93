using System.Text.Json.Nodes;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs.Fourier;
using Concertina.Compute.KvCache.Codecs.Fourier.Spectral;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;
using Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.Tests.KvCache.Codecs.Fourier;

/// <summary>
/// The transform and spectral attention against vectors of an independent reference in binary64. Its basis is orthonormal, so its
/// coefficients are sqrt(S) times the stored ones; its 16 channels lie among 32, because counts are multiples of 16.
/// </summary>
public sealed class FourierGoldenTests
{
    private const int Tokens = 256;
    private const int Orders = 32;
    private const int Channels = 16;

    public static TheoryData<string> Paths => [.. Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported).Select(path => path.ToString())];

    [Fact]
    public void The_basis_is_that_of_the_reference()
    {
        RowGolden golden = new("fourier", "dct_basis.json");
        int[] rows = [0, 1, 2, 31, 255];

        float[] actual = [.. rows.SelectMany(order => Enumerable.Range(0, Tokens).Select(token =>
            (float)(SpectralBasis.Entry(order, token, Tokens) / Math.Sqrt(Tokens))))];

        Golden.AssertNear(RowGolden.Floats(golden.Expected["b"]!), actual, 1e-6);
    }

    [Theory]
    [InlineData("segment_k.json", "k")]
    [InlineData("segment_v.json", "v")]
    public void Coefficients_reconstruction_and_energy_are_those_of_the_reference(string file, string side)
    {
        RowGolden golden = new("fourier", file);
        float[] rows = RowGolden.Floats(golden.Inputs[side]!);
        int[] compressed = RowGolden.Integers(golden.Inputs["dc"]!);
        SpectralBasis basis = new(Tokens, Orders);
        float[] stored = new float[Orders * Channels];
        float[] decoded = new float[32 * Channels];
        SpectralTransform.Forward(basis, rows, Channels, stored);
        SpectralTransform.Inverse(basis, stored, 0, decoded);

        float[] coefficients = [.. Columns(stored, compressed).Select(value => value * MathF.Sqrt(Tokens))];

        Golden.AssertNear(RowGolden.Floats(golden.Expected["c"]!), coefficients, 1e-5);
        if (side == "k")
        {
            float[] expected = RowGolden.Floats(golden.Expected["reconstructed_first32"]!);
            Golden.AssertNear(Columns(expected, compressed), Columns(decoded, compressed), 1e-5);
            Assert.Equal(Columns(expected, RowGolden.Integers(golden.Inputs["du"]!)), Columns(rows[..expected.Length], RowGolden.Integers(golden.Inputs["du"]!)));
            // What is kept of a channel: by Parseval, the squares of its coefficients.
            float[] energy = [.. compressed.Select((channel, i) => (float)(
                Enumerable.Range(0, Orders).Sum(order => Math.Pow(coefficients[(order * compressed.Length) + i], 2))
                / Enumerable.Range(0, Tokens).Sum(token => Math.Pow(rows[(token * Channels) + channel], 2))))];
            Golden.AssertNear(RowGolden.Floats(golden.Expected["energy"]!), energy, 0, slack: 1e-5);
        }
    }

    [Fact]
    public void All_orders_give_the_input_back()
    {
        RowGolden golden = new("fourier", "exact_at_full_m.json");
        float[] input = RowGolden.Floats(golden.Inputs["x"]!);
        // 4 channels among 8, which vectors need.
        float[] rows = [.. Enumerable.Range(0, 32 * 8).Select(i => i % 8 < 4 ? input[(i / 8 * 4) + (i % 8)] : 0f)];
        SpectralBasis basis = new(32, 32);
        float[] stored = new float[32 * 8];
        float[] decoded = new float[32 * 8];
        SpectralTransform.Forward(basis, rows, 8, stored);
        SpectralTransform.Inverse(basis, stored, 0, decoded);

        int[] compressed = RowGolden.Integers(golden.Inputs["dc"]!);
        float[] coefficients = [.. Columns(stored, compressed, 8).Select(value => value * MathF.Sqrt(32))];

        Golden.AssertNear(RowGolden.Floats(golden.Expected["c"]!), coefficients, 1e-5);
        Golden.AssertNear(RowGolden.Floats(golden.Expected["reconstructed"]!), Columns(decoded, [0, 1, 2, 3], 8), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Spectral_attention_is_that_of_the_reference_but_for_16_bit_coefficients(string pathName)
    {
        RowGolden keys = new("fourier", "segment_k.json");
        RowGolden values = new("fourier", "segment_v.json");
        RowGolden golden = new("fourier", "segment_attention.json");
        FourierSetup setup = new(Tokens / KvShape.PageTokens, Lists(keys), Lists(values));
        Segment segment = new(
            TestFourier.Get("fourier16", setup), 2 * Channels, (Widen(keys.Inputs["k"]!, 1f), Widen(values.Inputs["v"]!, 1f)));
        float[] queries = Widen(golden.Inputs["q"]!, 0.25f);

        float[] outputs = Segment.Attend([segment], (queries, [Tokens - 1, Tokens - 1, Tokens - 1]), Enum.Parse<VectorPath>(pathName));

        JsonArray expected = golden.Expected["queries"]!.AsArray();
        for (int query = 0; query < 3; query++)
        {
            float[] row = outputs[(query * 2 * Channels)..(((query * 2) + 1) * Channels)];
            Golden.AssertNear(RowGolden.Floats(expected[query]!["o"]!), row, 1e-3);
        }
    }

    // D_c of the reference and the first padding channels, 16 in all.
    private static FourierChannels Lists(RowGolden golden)
    {
        int[] compressed = RowGolden.Integers(golden.Inputs["dc"]!);
        return new FourierChannels(2 * Channels, Orders, [[.. compressed, .. Enumerable.Range(Channels, Channels - compressed.Length)]]);
    }

    private static float[] Widen(JsonNode node, float factor)
    {
        float[] rows = RowGolden.Floats(node);
        return [.. Enumerable.Range(0, 2 * rows.Length).Select(i =>
            i % (2 * Channels) < Channels ? factor * rows[(i / (2 * Channels) * Channels) + (i % (2 * Channels))] : 0f)];
    }

    private static float[] Columns(float[] rows, int[] channels, int width = Channels) =>
        [.. Enumerable.Range(0, rows.Length / width).SelectMany(row => channels.Select(channel => rows[(row * width) + channel]))];
}
