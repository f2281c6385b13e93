using System.CommandLine;
using System.Globalization;
using Concertina.Cli.Evaluation;
using Concertina.Compute.Calibration;
using Concertina.Compute.Evaluation;
using Concertina.Compute.Profile;

namespace Concertina.Cli.Calibrating;

/// <summary><c>concertina calibrate</c>: makes a model's KV profile.</summary>
internal static class CalibrateCommand
{
    /// <summary>What is measured: all plain rungs, and those that evict where it may pay.</summary>
    private const string Candidates =
        "int8,k8v4,int4,k4v2,int2,commvq2,commvq1,f16+evict2,int8+evict2,int4+evict2,int4+evict4,k4v2+evict2,commvq2+evict2";

    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "GGUF file.", Required = true };
        Option<string[]> text = new("--text")
        {
            Description = "Texts: the first half is trained on, the second half measured on. Needed without --keep.",
            AllowMultipleArgumentsPerToken = true,
        };
        Option<int> tokens = new("--tokens") { Description = "Tokens that are trained on.", DefaultValueFactory = _ => 16_384 };
        Option<int> measured = new("--measured-tokens") { Description = "Tokens that every rung is measured on.", DefaultValueFactory = _ => 16_384 };
        Option<string> rungs = new("--rungs") { Description = "Rungs to measure.", DefaultValueFactory = _ => Candidates };
        Option<string?> recall = new("--recall") { Description = "Folder with recall_<length>.jsonl, to measure recall too." };
        Option<int> documents = new("--documents") { Description = "Documents of each length that questions are asked about.", DefaultValueFactory = _ => 3 };
        Option<string?> output = new("--out") { Description = "The profile; default: MODEL.kvprofile.safetensors." };
        Option<int> seed = new("--seed") { Description = "Seed.", DefaultValueFactory = _ => 1 };
        Option<bool> arms = new("--arms") { Description = "Train the variants of CommVQ too, for eval to compare; not for serving." };
        Option<bool> keep = new("--keep") { Description = "Keep what the profile there is has, measured rungs too, and add what is made of the weights alone: XQuant's latent maps." };
        Option<int> threads = new("--threads") { Description = "Threads; 0: one per core." };
        Command command = new("calibrate", "Trains codebooks, measures every rung, and writes the model's KV profile. A stopped run goes on when it is started again.")
        {
            model, text, tokens, measured, rungs, recall, documents, output, seed, arms, keep, threads,
        };
        command.SetAction((arguments, cancellation) => Task.Run(() =>
        {
            string modelPath = arguments.GetRequiredValue(model);
            string path = arguments.GetValue(output) ?? KvProfile.PathFor(modelPath);
            using EvaluatedModel evaluated = EvaluatedModel.Bare(modelPath);
            if (arguments.GetValue(keep))
            {
                Extend(evaluated, path, cancellation);
                return ExitCode.Success;
            }
            CalibrationTexts texts = CalibrationTexts.Split(
                evaluated, arguments.GetValue(text) ?? [], arguments.GetRequiredValue(tokens), arguments.GetRequiredValue(measured));
            CalibrationPlan plan = new()
            {
                Seed = arguments.GetRequiredValue(seed),
                Arms = arguments.GetValue(arms),
                Threads = arguments.GetValue(threads),
                WorkFolder = path + ".work",
            };
            KvProfile trained = ModelCalibration.WithLatents(Train(evaluated, texts, plan, cancellation), evaluated.File, cancellation);
            EvaluationSettings settings = new()
            {
                Rungs = arguments.GetRequiredValue(rungs).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
                Threads = plan.Threads,
            };
            IReadOnlyList<RecallTexts> questions = arguments.GetValue(recall) is { } folder
                ? RecallTexts.Read(folder, arguments.GetRequiredValue(documents), evaluated, new SeedShare(1))
                : [];
            KvProfile profile = Measure(evaluated.With(trained), settings, texts, questions, cancellation);
            Save(profile, path, plan.WorkFolder);
            return ExitCode.Success;
        }, cancellation));
        return command;
    }

    private static void Extend(EvaluatedModel model, string path, CancellationToken cancellation)
    {
        try
        {
            KvProfile before = KvProfile.Load(path, model.File.ContentHash, model.File.Config.ToKvShape());
            Save(ModelCalibration.WithLatents(before, model.File, cancellation), path, path + ".work");
        }
        catch (Exception problem) when (problem is KvProfileException or IOException)
        {
            throw new CliException(ExitCode.Failure, problem.Message);
        }
    }

    private static KvProfile Train(EvaluatedModel model, CalibrationTexts texts, CalibrationPlan plan, CancellationToken cancellation)
    {
        var progress = new Progress(TimeProvider.System, 1);
        double shown = 0;
        Lock gate = new();
        return ModelCalibration.Train(
            model.File,
            texts.Training,
            plan,
            share =>
            {
                lock (gate)
                {
                    progress.Add(share - shown, "training codebooks");
                    shown = share;
                }
            },
            cancellation);
    }

    private static KvProfile Measure(
        EvaluatedModel model, EvaluationSettings settings, CalibrationTexts texts, IReadOnlyList<RecallTexts> questions,
        CancellationToken cancellation)
    {
        try
        {
            Evaluator evaluator = new(model, settings, TimeProvider.System);
            (IReadOnlyList<RungEvaluation> found, int compared, int asked) = evaluator.Run(texts.Measured, questions, seed: 1, cancellation);
            EvaluationTable.Print(model.File.Config.Name, found, compared, asked);
            return ModelCalibration.WithRungs(model.Profile!, [.. found.Select(Measure)], compared);
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException)
        {
            throw new CliException(ExitCode.Failure, problem.Message);
        }
    }

    private static RungMeasure Measure(RungEvaluation rung) => new()
    {
        Name = rung.Rung,
        BytesPerToken2K = rung.BytesPerToken2K,
        BytesPerToken8K = rung.BytesPerToken,
        MeanKl = rung.MeanKl,
        P99Kl = rung.P99Kl,
        Recall = rung.Recall,
        AttendNs = rung.AttendNs,
        EncodeNs = rung.EncodeNs,
    };

    private static void Save(KvProfile profile, string path, string workFolder)
    {
        try
        {
            profile.Save(path);
            if (Directory.Exists(workFolder))
            {
                Directory.Delete(workFolder, recursive: true);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failure, $"The profile cannot be written to {path}: {problem.Message}");
        }
        IEnumerable<string> ladder = profile.Rungs.Where(rung => rung.OnLadder).Select(rung => rung.Name);
        Screen.Line(string.Create(CultureInfo.InvariantCulture, $"written to {path}; ladder: {string.Join(", ", ladder)}"));
    }
}
