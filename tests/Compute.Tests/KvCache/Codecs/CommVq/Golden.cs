using System.Text.Json;
using System.Text.Json.Nodes;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.Tests.KvCache.Codecs.CommVq;

/// <summary>
/// Vectors of an independent reference in binary64. Its layout is half split (pair j is channels j and j + d/2); the engine's is
/// interleaved, so rows of channels are reordered on the way in.
/// </summary>
internal sealed class Golden
{
    private readonly JsonNode _root;

    public Golden(string name)
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Concertina.slnx")))
        {
            folder = folder.Parent;
        }
        string path = Path.Combine(folder.FullName, "tests", "Compute.Tests", "Golden", "commvq", name + ".json");
        _root = JsonNode.Parse(File.ReadAllText(path))!;
    }

    public JsonNode Inputs => _root["inputs"]!;

    public JsonNode Expected => _root["expected"]!;

    public static float[] Floats(JsonNode node) => Numbers<float>(node["f32"]!);

    public static double[] Doubles(JsonNode node) => Numbers<double>(node["f64"]!);

    public static int[] Integers(JsonNode node) => Numbers<int>((node["i32"] ?? node["u16"])!);

    public static int Dimension(JsonNode node, int index) => node["shape"]![index]!.GetValue<int>();

    public static byte[] Bytes(JsonNode node) => Convert.FromBase64String(node["base64"]!.GetValue<string>());

    /// <summary>Rows of half-split channels as rows of interleaved channels.</summary>
    public static float[] Interleave(float[] rows, int headDim)
    {
        float[] result = new float[rows.Length];
        for (int row = 0; row < rows.Length; row += headDim)
        {
            for (int pair = 0; pair < headDim / 2; pair++)
            {
                result[row + (2 * pair)] = rows[row + pair];
                result[row + (2 * pair) + 1] = rows[row + (headDim / 2) + pair];
            }
        }
        return result;
    }

    /// <summary>The codebook of the key cases.</summary>
    public static KeyBook Book(int stages = 8)
    {
        JsonNode inputs = new Golden("codebook").Inputs;
        var book = new KeyBook(new BookLayout(16, 8, 64), Floats(inputs["rows"]!), null, Interleave(Floats(inputs["mu"]!), 64));
        return book.Take(stages);
    }

    /// <summary>Keys of the key cases before RoPE, interleaved, [128, 64].</summary>
    public static float[] Tokens() => Interleave(Floats(new Golden("tokens").Inputs["k"]!), 64);

    /// <summary>Within a share of the largest expected magnitude.</summary>
    public static void AssertNear(IReadOnlyList<float> expected, IReadOnlyList<float> actual, double share, double slack = 0)
    {
        double bound = slack + (share * expected.Max(value => Math.Abs((double)value)));
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.InRange(actual[i], expected[i] - bound, expected[i] + bound);
        }
    }

    private static T[] Numbers<T>(JsonNode node) => node.Deserialize<T[]>()!;
}
