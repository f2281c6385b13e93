using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

/// <summary>Vectors of an independent reference: rows, codes and bit patterns.</summary>
internal sealed class RowGolden
{
    private readonly JsonNode _root;

    public RowGolden(string folder, string name) => _root = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder(folder), name)))!;

    public JsonNode Inputs => _root["inputs"]!;

    public JsonNode Expected => _root["expected"]!;

    public int Parameter(string name) => _root["params"]![name]!.GetValue<int>();

    public string Text(string name) => _root["params"]![name]!.GetValue<string>();

    /// <summary>Names of the files of a folder that start so.</summary>
    public static IEnumerable<string> Files(string folder, string start) =>
        Directory.EnumerateFiles(Folder(folder), start + "*.json").Select(path => Path.GetFileName(path)).Order();

    public static float[] Floats(JsonNode node) => node["f32"]!.Deserialize<float[]>()!;

    public static int[] Integers(JsonNode node) => (node["i32"] ?? node["u16"])!.Deserialize<int[]>()!;

    /// <summary>Floats given by their bits.</summary>
    public static float[] Patterns(JsonNode node) =>
        [.. node["u32"]!.Deserialize<uint[]>()!.Select(BitConverter.UInt32BitsToSingle)];

    public static byte[] Bytes(JsonNode node) => Convert.FromBase64String(node["base64"]!.GetValue<string>());

    /// <summary>Codes of a row as the reference packs them: low bits first, 3 bits as a plane of 2 and a plane of 1.</summary>
    public static int[] Unpack(ReadOnlySpan<byte> row, int count, int bits)
    {
        int[] codes = new int[count];
        int planeBits = bits == 3 ? 2 : bits;
        for (int i = 0; i < count; i++)
        {
            codes[i] = Field(row, i, planeBits);
            if (bits == 3)
            {
                codes[i] |= Field(row[((count + 3) / 4)..], i, 1) << 2;
            }
        }
        return codes;
    }

    private static int Field(ReadOnlySpan<byte> row, int index, int bits)
    {
        int value = 0;
        for (int bit = 0; bit < bits; bit++)
        {
            int at = (index * bits) + bit;
            value |= ((row[at / 8] >> (at % 8)) & 1) << bit;
        }
        return value;
    }

    private static string Folder(string name)
    {
        DirectoryInfo folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Concertina.slnx")))
        {
            folder = folder.Parent!;
        }
        return Path.Combine(folder.FullName, "tests", "Compute.Tests", "Golden", name);
    }
}
