using System.Buffers;
using System.Text.Json;

namespace Concertina.Compute.Model.Gguf;

/// <summary>
/// Copies the <c>tokenizer.*</c> metadata into JSON of format 1: {"format", "model", "pre", "tokens", "types", "merges",
/// "scores", "bos", "eos", "eot", "pad", "unknown", "addBos", "addEos", "addSpacePrefix", "chatTemplate"}. Compute does
/// not interpret any of it.
/// </summary>
internal sealed class TokenizerJson(GgufFile file, int vocabularySize)
{
    private const string Prefix = "tokenizer.ggml.";
    private const int MaxTokenBytes = 64 << 10;

    private readonly GgufMetadata _metadata = file.Metadata;

    /// <summary>The JSON, or nothing if the file brings no tokenizer.</summary>
    /// <exception cref="ModelFileException">The tokenizer data are inconsistent.</exception>
    public byte[] Write()
    {
        if (_metadata.FindString(Prefix + "model") is not { } model)
        {
            return [];
        }
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("format", 1);
            json.WriteString("model", model);
            json.WriteString("pre", _metadata.FindString(Prefix + "pre") ?? "default");
            WriteStrings(json, "tokens", Require(Prefix + "tokens", GgufValueType.String));
            WriteTypes(json);
            WriteStrings(json, "merges", _metadata.FindArray(Prefix + "merges", GgufValueType.String));
            WriteScores(json);
            WriteToken(json, "bos", "bos_token_id");
            WriteToken(json, "eos", "eos_token_id");
            WriteToken(json, "eot", "eot_token_id");
            WriteToken(json, "pad", "padding_token_id");
            WriteToken(json, "unknown", "unknown_token_id");
            json.WriteBoolean("addBos", _metadata.Flag(Prefix + "add_bos_token", fallback: false));
            json.WriteBoolean("addEos", _metadata.Flag(Prefix + "add_eos_token", fallback: false));
            json.WriteBoolean("addSpacePrefix", _metadata.Flag(Prefix + "add_space_prefix", fallback: false));
            json.WriteString("chatTemplate", _metadata.FindString("tokenizer.chat_template"));
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private GgufValue Require(string key, GgufValueType elementType)
    {
        GgufValue array = _metadata.FindArray(key, elementType) ?? throw Error($"key '{key}' is missing.");
        return RequireLength(key, array);
    }

    private GgufValue RequireLength(string key, GgufValue array) => array.Count == vocabularySize
        ? array
        : throw Error($"key '{key}' has {array.Count} entries, the vocabulary {vocabularySize}.");

    private void WriteStrings(Utf8JsonWriter json, string name, GgufValue? array)
    {
        json.WriteStartArray(name);
        if (array is { } strings)
        {
            GgufReader reader = _metadata.Elements(strings);
            for (long i = 0; i < strings.Count; i++)
            {
                try
                {
                    json.WriteStringValue(reader.ReadStringBytes(name, MaxTokenBytes));
                }
                catch (ArgumentException exception)
                {
                    throw new ModelFileException(file.File.Path, $"entry {i} of the tokenizer's {name} is not UTF-8.", exception);
                }
            }
        }
        json.WriteEndArray();
    }

    private void WriteTypes(Utf8JsonWriter json)
    {
        const string Key = Prefix + "token_type";
        json.WriteStartArray("types");
        if (_metadata.FindArray(Key, GgufValueType.Int32) is { } types)
        {
            GgufReader reader = _metadata.Elements(RequireLength(Key, types));
            for (long i = 0; i < types.Count; i++)
            {
                json.WriteNumberValue((int)reader.ReadUInt32(Key));
            }
        }
        json.WriteEndArray();
    }

    private void WriteScores(Utf8JsonWriter json)
    {
        const string Key = Prefix + "scores";
        if (_metadata.FindArray(Key, GgufValueType.Float32) is not { } scores)
        {
            json.WriteNull("scores");
            return;
        }
        json.WriteStartArray("scores");
        GgufReader reader = _metadata.Elements(RequireLength(Key, scores));
        for (long i = 0; i < scores.Count; i++)
        {
            float score = BitConverter.UInt32BitsToSingle(reader.ReadUInt32(Key));
            json.WriteNumberValue(float.IsFinite(score) ? score : throw Error($"entry {i} of key '{Key}' is {score}."));
        }
        json.WriteEndArray();
    }

    private void WriteToken(Utf8JsonWriter json, string name, string key)
    {
        if (_metadata.Contains(Prefix + key))
        {
            json.WriteNumber(name, _metadata.Integer(Prefix + key, 0, vocabularySize - 1));
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private ModelFileException Error(string problem) => new(file.File.Path, problem);
}
