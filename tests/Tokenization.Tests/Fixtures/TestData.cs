using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace Concertina.Tokenization.Tests;

/// <summary>Finds the data that tests read and builds tokenizers from it.</summary>
internal static class TestData
{
    private static readonly ConcurrentDictionary<string, Lazy<TokenizerSpec>> Specs = new();

    public static string RepositoryRoot { get; } = FindRoot();

    public static string Shared => Path.Combine(RepositoryRoot, "..", "shared");

    public static string DemoModel => FirstExisting(
        Path.Combine(RepositoryRoot, "models", "demo", "demo-q8_0.gguf"), Path.Combine(Shared, "models", "demo", "demo-q8_0.gguf"));

    public static string DemoReference => FirstExisting(
        Path.Combine(RepositoryRoot, "models", "demo", "eval_project", "reference.json"),
        Path.Combine(Shared, "models", "demo", "eval_project", "reference.json"));

    public static Tokenizer Demo() => Tokenizer.Create(SpecOf(DemoModel));

    public static TokenizerSpec SpecOf(string ggufPath) => Specs.GetOrAdd(
        ggufPath, path => new Lazy<TokenizerSpec>(() => TokenizerSpec.Parse(SpecJson(GgufMetadata.Read(path))))).Value;

    public static string Vocabulary(string name)
    {
        string path = Path.Combine(Shared, "tokenizers", name);
        Assert.SkipUnless(File.Exists(path), $"{path} is absent; the published vocabularies are not part of this repository.");
        return path;
    }

    /// <summary>The description that the worker writes for a model file.</summary>
    private static byte[] SpecJson(Dictionary<string, object> metadata)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            object? Get(string key) => metadata.GetValueOrDefault("tokenizer." + key);
            string[] tokens = (string[])metadata["tokenizer.ggml.tokens"];
            JsonSerializer.Serialize(json, new
            {
                format = 1,
                model = Get("ggml.model"),
                pre = Get("ggml.pre") ?? "",
                tokens,
                types = Get("ggml.token_type") ?? Enumerable.Repeat(1, tokens.Length).ToArray(),
                merges = Get("ggml.merges") ?? Array.Empty<string>(),
                scores = Get("ggml.scores"),
                bos = Get("ggml.bos_token_id"),
                eos = Get("ggml.eos_token_id"),
                eot = Get("ggml.eot_token_id"),
                pad = Get("ggml.padding_token_id"),
                unknown = Get("ggml.unknown_token_id"),
                addBos = Get("ggml.add_bos_token") ?? false,
                addEos = Get("ggml.add_eos_token") ?? false,
                addSpacePrefix = Get("ggml.add_space_prefix") ?? ((string)Get("ggml.model")! == "llama"),
                chatTemplate = Get("chat_template"),
            });
        }

        return stream.ToArray();
    }

    private static string FirstExisting(params string[] paths)
    {
        string? found = paths.FirstOrDefault(File.Exists);
        Assert.SkipUnless(found is not null, $"None of {string.Join(", ", paths)} exists.");
        return found!;
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Directory.Build.props")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException($"No repository above {AppContext.BaseDirectory}.");
    }
}

/// <summary>Reads the metadata of a GGUF file (versions 2 and 3), nothing else.</summary>
internal static class GgufMetadata
{
    public static Dictionary<string, object> Read(string path)
    {
        using BinaryReader reader = new(File.OpenRead(path));
        Assert.Equal(0x46554747u, reader.ReadUInt32());
        Assert.InRange(reader.ReadUInt32(), 2u, 3u);
        reader.ReadUInt64();
        ulong count = reader.ReadUInt64();
        Dictionary<string, object> metadata = [];
        for (ulong i = 0; i < count; i++)
        {
            string key = Text(reader);
            metadata[key] = Value(reader, reader.ReadUInt32());
        }

        return metadata;
    }

    private static string Text(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));

    private static object Value(BinaryReader reader, uint type) => type switch
    {
        0 => reader.ReadByte(),
        1 => reader.ReadSByte(),
        2 => reader.ReadUInt16(),
        3 => reader.ReadInt16(),
        4 => reader.ReadUInt32(),
        5 => reader.ReadInt32(),
        6 => reader.ReadSingle(),
        7 => reader.ReadByte() != 0,
        8 => Text(reader),
        9 => Values(reader, reader.ReadUInt32(), (int)reader.ReadUInt64()),
        10 => reader.ReadUInt64(),
        11 => reader.ReadInt64(),
        12 => reader.ReadDouble(),
        _ => throw new InvalidDataException($"GGUF value type {type}."),
    };

    private static object Values(BinaryReader reader, uint type, int count) => type switch
    {
        8 => Many(count, () => Text(reader)),
        5 => Many(count, reader.ReadInt32),
        6 => Many(count, reader.ReadSingle),
        _ => Many(count, () => Value(reader, type)),
    };

    private static T[] Many<T>(int count, Func<T> next)
    {
        T[] values = new T[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = next();
        }

        return values;
    }
}
