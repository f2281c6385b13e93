using System.Buffers.Binary;
using System.Text.Json;

namespace Concertina.Compute.Profile;

/// <summary>
/// Reads and writes the safetensors form: a 64-bit header length, a JSON header with types, shapes and offsets, then the
/// tensors back to back. Source: https://github.com/huggingface/safetensors, format section. Only what a KV profile needs:
/// F16, F32 and U8, contiguous tensors in the order of their offsets, string metadata.
/// </summary>
internal sealed class SafeTensorsFile
{
    private const int LengthBytes = 8;
    private const int MostHeaderBytes = 1 << 20;
    private const string MetadataName = "__metadata__";

    /// <summary>The string metadata.</summary>
    public SortedDictionary<string, string> Metadata { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The tensors by name.</summary>
    public SortedDictionary<string, SafeTensor> Tensors { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Reads a file's bytes, which the tensors then refer to.</summary>
    /// <exception cref="KvProfileException">They are no safetensors file of the form above.</exception>
    public static SafeTensorsFile Parse(ReadOnlyMemory<byte> file)
    {
        ReadOnlyMemory<byte> header = Header(file);
        ReadOnlyMemory<byte> data = file[(LengthBytes + header.Length)..];
        var parsed = new SafeTensorsFile();
        try
        {
            using JsonDocument document = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 8 });
            Require(document.RootElement.ValueKind == JsonValueKind.Object, "the header is no JSON object");
            long next = 0;
            foreach (JsonProperty member in document.RootElement.EnumerateObject())
            {
                if (member.Name == MetadataName)
                {
                    parsed.ReadMetadata(member.Value);
                }
                else
                {
                    next = parsed.ReadTensor(member, data, next);
                }
            }
            Require(next == data.Length, $"the tensors end at byte {next:N0} of {data.Length:N0}");
            return parsed;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new KvProfileException($"The file is no safetensors file: its header cannot be read ({problem.Message}).", problem);
        }
    }

    /// <summary>The file's bytes; the same content gives the same bytes.</summary>
    public byte[] ToBytes()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            WriteHeader(json);
        }
        // The header is padded with spaces so that tensors start at a multiple of 8.
        int headerBytes = (int)((buffer.Length + LengthBytes - 1) / LengthBytes * LengthBytes);
        byte[] file = new byte[LengthBytes + headerBytes + Tensors.Values.Sum(tensor => (long)tensor.Bytes.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)headerBytes);
        file.AsSpan(LengthBytes, headerBytes).Fill((byte)' ');
        buffer.GetBuffer().AsSpan(0, (int)buffer.Length).CopyTo(file.AsSpan(LengthBytes));
        int next = LengthBytes + headerBytes;
        foreach (SafeTensor tensor in Tensors.Values)
        {
            tensor.Bytes.Span.CopyTo(file.AsSpan(next));
            next += tensor.Bytes.Length;
        }
        return file;
    }

    private static ReadOnlyMemory<byte> Header(ReadOnlyMemory<byte> file)
    {
        Require(file.Length >= LengthBytes, $"it has {file.Length} bytes, and {LengthBytes} say the length of the header");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        Require(length is > 1 and <= MostHeaderBytes, $"its header would have {length:N0} bytes; at most {MostHeaderBytes:N0} are taken");
        Require((ulong)file.Length - LengthBytes >= length, $"its header would have {length:N0} bytes, the file has {file.Length:N0}");
        return file.Slice(LengthBytes, (int)length);
    }

    private void WriteHeader(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject(MetadataName);
        foreach ((string key, string value) in Metadata)
        {
            json.WriteString(key, value);
        }
        json.WriteEndObject();
        long next = 0;
        foreach ((string name, SafeTensor tensor) in Tensors)
        {
            json.WriteStartObject(name);
            json.WriteString("dtype", tensor.Type);
            json.WriteStartArray("shape");
            Array.ForEach(tensor.Shape, json.WriteNumberValue);
            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(next);
            json.WriteNumberValue(next += tensor.Bytes.Length);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private void ReadMetadata(JsonElement metadata)
    {
        foreach (JsonProperty entry in metadata.EnumerateObject())
        {
            Require(Metadata.TryAdd(entry.Name, entry.Value.GetString() ?? ""), $"metadata '{Shown(entry.Name)}' stands twice");
        }
    }

    private long ReadTensor(JsonProperty member, ReadOnlyMemory<byte> data, long next)
    {
        string name = Shown(member.Name);
        string type = member.Value.GetProperty("dtype").GetString() ?? "";
        int size = SafeTensor.BytesOf(type);
        Require(size > 0, $"tensor '{name}' has type '{Shown(type)}'; F16, F32 and U8 are read");
        long[] shape = [.. member.Value.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt64())];
        long[] offsets = [.. member.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64())];
        long bytes = size;
        foreach (long dimension in shape)
        {
            Require(dimension > 0 && dimension <= data.Length && bytes <= data.Length, $"tensor '{name}' has an impossible shape");
            bytes *= dimension;
        }
        Require(
            offsets.Length == 2 && offsets[0] == next && offsets[1] - offsets[0] == bytes && offsets[1] <= data.Length,
            $"tensor '{name}' does not lie where it should: bytes {next:N0} to {next + bytes:N0} of {data.Length:N0}");
        Require(
            Tensors.TryAdd(member.Name, new SafeTensor(type, shape, data.Slice((int)next, (int)bytes))), $"tensor '{name}' stands twice");
        return offsets[1];
    }

    private static string Shown(string text) => text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 64), "…");

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw new KvProfileException($"The file is no safetensors file of a KV profile: {problem}. Make it anew with 'concertina calibrate'.");
        }
    }
}
