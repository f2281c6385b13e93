using System.Globalization;
using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Calibration;

/// <summary>
/// Trains codebooks head by head and keeps each finished one in a folder, so that a run that was stopped goes on where it was.
/// What is found there counts only if it was made by the same plan from the same sample.
/// </summary>
internal sealed class BookTraining(CommVqTraining plan, int headDim, string folder, string identity)
{
    private readonly CommVqTrainer _trainer = new(plan, headDim);

    /// <summary>Trains what is missing.</summary>
    /// <param name="heads">Samples.</param>
    /// <param name="finished">Called after each head, from the training threads, with true when it was found finished.</param>
    /// <param name="cancellation">Cancels; what is finished stays.</param>
    public CommVqBooks Run(IReadOnlyList<HeadSample> heads, Action<bool> finished, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var books = new CommVqBooks[heads.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = plan.Threads, CancellationToken = cancellation };
        Parallel.For(0, heads.Count, options, head =>
        {
            CommVqBooks? found = Find(head);
            books[head] = found ?? Train(heads[head], head, cancellation);
            finished(found is not null);
        });
        return new CommVqBooks([.. books.Select(book => book.Keys[0])], [.. books.Select(book => book.Values[0])]);
    }

    private CommVqBooks Train(HeadSample sample, int head, CancellationToken cancellation)
    {
        var books = new CommVqBooks(
            [_trainer.TrainKeys(sample.Keys.Span, head, cancellation)], [_trainer.TrainValues(sample.Values.Span, head, cancellation)]);
        var file = new SafeTensorsFile();
        BookTensors.Write(books, file);
        file.Metadata["identity"] = identity;
        string temporary = PathOf(head) + ".partial";
        File.WriteAllBytes(temporary, file.ToBytes());
        File.Move(temporary, PathOf(head), overwrite: true);
        // As a later run will find it: the file holds halves.
        return Find(head)!;
    }

    private CommVqBooks? Find(int head)
    {
        if (!File.Exists(PathOf(head)))
        {
            return null;
        }
        try
        {
            var file = SafeTensorsFile.Parse(File.ReadAllBytes(PathOf(head)));
            return file.Metadata.GetValueOrDefault("identity") == identity ? BookTensors.Read(file, 1, headDim) : null;
        }
        catch (KvProfileException)
        {
            return null; // half written or of another version: trained again
        }
    }

    private string PathOf(int head) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"head-{head:D4}.safetensors"));
}
