using System.Text;
using System.Text.Json;
using Concertina.Tokenization;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>The demo model's tokenizer, read out of the GGUF file's metadata.</summary>
internal static class Demo
{
    public const string Model = "demo";
    public const int ContextTokens = 8_192;
    public const int EndOfTurn = 5;

    private static readonly Lazy<byte[]> Spec = new(ReadSpec);
    private static readonly Lazy<Tokenizer> Shared = new(() => Tokenizer.Create(TokenizerSpec.Parse(Spec.Value)));

    /// <summary>The bytes a worker would send.</summary>
    public static byte[] TokenizerBytes => Spec.Value;

    public static Tokenizer Tokenizer => Shared.Value;

    public static string Root { get; } = FindRoot();

    public static int[] Tokens(string text) => Tokenizer.Encode(text, addSpecial: false, parseSpecial: false);

    private static byte[] ReadSpec()
    {
        Dictionary<string, object> metadata = ReadMetadata(Path.Combine(Root, "models", "demo", "demo-q8_0.gguf"));
        return JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object?>
        {
            ["format"] = TokenizerSpec.CurrentFormat,
            ["model"] = metadata["tokenizer.ggml.model"],
            ["pre"] = metadata["tokenizer.ggml.pre"],
            ["tokens"] = metadata["tokenizer.ggml.tokens"],
            ["types"] = metadata["tokenizer.ggml.token_type"],
            ["merges"] = metadata["tokenizer.ggml.merges"],
            ["bos"] = metadata["tokenizer.ggml.bos_token_id"],
            ["eos"] = metadata["tokenizer.ggml.eos_token_id"],
            ["eot"] = metadata["tokenizer.ggml.eot_token_id"],
            ["addBos"] = metadata["tokenizer.ggml.add_bos_token"],
            ["chatTemplate"] = metadata["tokenizer.chat_template"],
        });
    }

    private static Dictionary<string, object> ReadMetadata(string file)
    {
        using BinaryReader reader = new(File.OpenRead(file));
        Assert.Equal("GGUF"u8, reader.ReadBytes(4));
        reader.ReadUInt32();
        reader.ReadUInt64();
        ulong count = reader.ReadUInt64();
        Dictionary<string, object> metadata = [];
        for (ulong i = 0; i < count; i++)
        {
            string key = ReadText(reader);
            metadata[key] = ReadValue(reader, reader.ReadUInt32());
        }
        return metadata;
    }

    private static object ReadValue(BinaryReader reader, uint type) => type switch
    {
        0 => reader.ReadByte(),
        1 => reader.ReadSByte(),
        2 => reader.ReadUInt16(),
        3 => reader.ReadInt16(),
        4 => reader.ReadUInt32(),
        5 => reader.ReadInt32(),
        6 => reader.ReadSingle(),
        7 => reader.ReadBoolean(),
        8 => ReadText(reader),
        9 => ReadArray(reader),
        10 => reader.ReadUInt64(),
        11 => reader.ReadInt64(),
        12 => reader.ReadDouble(),
        _ => throw new InvalidDataException($"GGUF value type {type}."),
    };

    private static object[] ReadArray(BinaryReader reader)
    {
        uint type = reader.ReadUInt32();
        object[] values = new object[reader.ReadUInt64()];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ReadValue(reader, type);
        }
        return values;
    }

    private static string ReadText(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes(checked((int)reader.ReadUInt64())));

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Concertina.slnx")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new DirectoryNotFoundException($"No Concertina.slnx above {AppContext.BaseDirectory}.");
    }
}
