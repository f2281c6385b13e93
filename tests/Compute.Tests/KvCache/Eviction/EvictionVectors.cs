using System.Text.Json;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Golden vectors of a method: tests/Compute.Tests/Golden/method/case.json.</summary>
internal static class EvictionVectors
{
    public static JsonElement Load(string name, string method = "kvcompress")
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Concertina.slnx")))
        {
            directory = directory.Parent;
        }
        Assert.NotNull(directory);
        string path = Path.Combine(directory.FullName, "tests", "Compute.Tests", "Golden", method, name + ".json");
        return JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
    }

    public static JsonElement At(this JsonElement element, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
        {
            element = element.GetProperty(name);
        }
        return element;
    }

    public static float Number(this JsonElement element) => element.ValueKind == JsonValueKind.String
        ? element.GetString() == "-Infinity" ? float.NegativeInfinity : throw new FormatException(element.GetString())
        : element.GetSingle();

    /// <summary>A tensor, row-major.</summary>
    public static float[] Floats(this JsonElement element) => [.. element.GetProperty("f32").EnumerateArray().Select(Number)];

    public static int[] Integers(this JsonElement element) =>
        [.. element.GetProperty("i32").EnumerateArray().Select(value => value.GetInt32())];

    public static int[] IntegerList(this JsonElement element) => [.. element.EnumerateArray().Select(value => value.GetInt32())];

    /// <summary>The check {rel_to_max, abs} of a golden file.</summary>
    public static void AssertNear(this float[] actual, JsonElement expected, JsonElement check)
    {
        float[] wanted = expected.Floats();
        Assert.Equal(wanted.Length, actual.Length);
        double tolerance = check.GetProperty("abs").GetDouble()
            + (check.GetProperty("rel_to_max").GetDouble() * wanted.Max(MathF.Abs));
        for (int i = 0; i < wanted.Length; i++)
        {
            Assert.InRange(actual[i], wanted[i] - tolerance, wanted[i] + tolerance);
        }
    }
}
