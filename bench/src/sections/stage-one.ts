/** The whole preprocessing, task by task. */
import { conditions } from '../conditions.ts';
import { costOfTasks } from '../cost/stage-one.ts';
import { writeSection } from './section.ts';

export async function stageOne(): Promise<void> {
  const { tasks, outcome } = await costOfTasks();
  const cells = (name: string, wall: number, cpu: number, mb: number) => [
    name,
    wall.toFixed(1),
    cpu.toFixed(1),
    mb.toFixed(0),
  ];
  writeSection({
    name: 'stage-one',
    title: 'The whole preprocessing, task by task',
    command: 'npm run bench -- stage-one',
    conditions: conditions(new Date(), outcome.device.name),
    head: ['task', 'wall s', 'CPU s', 'peak MB'],
    rows: [
      ...tasks.map((task) => cells(task.task, task.wallSeconds, task.cpuSeconds, task.peakMemoryMb)),
      cells('all', outcome.seconds, outcome.cpuSeconds, outcome.peakMemoryMb),
    ],
    notes: [
      'A T1-like phantom of 256³ voxels of 1 mm and an FDG-like PET at 2 mm of the same label map (11), from NIfTI files to all objects written.',
    ],
  });
}
